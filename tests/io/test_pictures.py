"""Picture files beside the pipelines, and what other libraries of the process refuse."""

import io
import os

import bombs
import cv2
import mmcv
import numpy as np
import pytest
from PIL import Image

import sdpose  # noqa: F401
from sdpose.errors import DataError, UserError
from sdpose.io import pictures
from sdpose.io.pictures import MOST_PIXELS, HugePictureError, is_cut_off, open_picture, read_picture, write_png


@pytest.mark.parametrize('name', bombs.ALL)
def test_bombs_are_refused_by_every_library(tmp_path, name, monkeypatch):
    content = bombs.ALL[name]()
    (tmp_path / 'a').write_bytes(content)
    monkeypatch.setattr(cv2, 'imdecode', None)
    monkeypatch.setattr(cv2, 'imread', None)
    with pytest.raises(HugePictureError, match='201 million pixels'):
        mmcv.imfrombytes(content)
    with pytest.raises(HugePictureError, match='201 million pixels'):
        mmcv.imread(str(tmp_path / 'a'))
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / 'a')
    with pytest.raises(DataError, match=f'^{tmp_path}/a is not read: it declares more than 201 million pixels'):
        read_picture(tmp_path / 'a')


def test_the_limit_lets_the_largest_photos_in(monkeypatch):
    assert MOST_PIXELS == 16384 * 12288
    assert open_picture(io.BytesIO(bombs.ppm(14188))).size == (14188, 14188)  # 14188^2 < the limit < 14189^2
    with pytest.raises(HugePictureError):
        open_picture(io.BytesIO(bombs.ppm(14189)))
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', None)  # as much code has it
    with pytest.raises(HugePictureError):
        open_picture(io.BytesIO(bombs.ppm(14189)))


def test_postscript_is_not_run(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n')
    with Image.open(tmp_path / 'a.png') as image:
        assert image.format == 'EPS'
    with pytest.raises(ValueError, match='no picture that can be read'):
        open_picture(tmp_path / 'a.png')


def test_a_picture_is_read_as_opencv_does(tmp_path):
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    write_png(tmp_path / 'a.png', pixels)
    (tmp_path / 'b.png').symlink_to('a.png')
    for name in ('a.png', 'b.png'):
        np.testing.assert_array_equal(read_picture(tmp_path / name), pixels)


@pytest.mark.parametrize(
    'spoil, reason',
    [
        (lambda path: path.write_bytes(b''), 'cannot be read as a picture: no picture'),
        (lambda path: path.write_text('text'), 'cannot be read as a picture: no picture'),
        (lambda path: path.write_bytes(bombs.png(64)[:60]), 'cannot be read as a picture: it is damaged'),
        (lambda path: None, 'cannot be read as a picture: .*No such file'),
        (lambda path: path.mkdir(), 'is a folder, not a file'),
        (os.mkfifo, 'is a pipe, a socket or a device, not a file'),
    ],
)
def test_other_files_are_named_in_one_line(tmp_path, spoil, reason):
    spoil(tmp_path / 'a.png')
    with pytest.raises(DataError, match=f'^[^\n]*{tmp_path}/a.png {reason}[^\n]*$'):
        read_picture(tmp_path / 'a.png')


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    pixels = np.zeros((4, 5, 3), np.uint8)
    (tmp_path / 'file').touch()
    with pytest.raises(DataError, match=f'^{tmp_path}/file/a.png cannot be written: '):
        write_png(tmp_path / 'file' / 'a.png', pixels)
    (tmp_path / 'a.png').mkdir()
    with pytest.raises(UserError, match=f'^{tmp_path}/a.png is a folder, and a file of that name is to be written'):
        write_png(tmp_path / 'a.png', pixels)
    for name in ('page.txt', 'page.jpg', 'page'):
        with pytest.raises(UserError, match=f'^{tmp_path}/{name}: the picture is a PNG, so its name must end in .png$'):
            write_png(tmp_path / name, pixels)
    monkeypatch.setattr(pictures.cv2, 'imencode', lambda *_: (False, None))
    with pytest.raises(DataError, match=f'^{tmp_path}/b.png cannot be written: the picture cannot be encoded'):
        write_png(tmp_path / 'b.png', pixels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.png', 'file']


def test_a_jpeg_that_is_cut_off_is_told(tmp_path):
    """By its end behind the scan: a thumbnail has one before, and what a phone appends lies behind."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    whole = cv2.imencode('.jpg', noise)[1].tobytes()
    thumbnail = b'\xff\xe1\x00\x08ab\xff\xd9cd'  # a segment of 8 bytes
    with_thumbnail = whole[:2] + thumbnail + whole[2:]
    file = tmp_path / 'a.jpg'
    for content, cut in (
        (whole, False),
        (whole + b'appended', False),
        (with_thumbnail, False),
        (whole[:-2], True),
        (whole[: len(whole) // 2], True),
        (with_thumbnail[: len(whole) // 2], True),
        (whole[:30], True),
        (cv2.imencode('.png', noise)[1].tobytes()[:500], False),
        (b'', False),
        (b'\xff\xd8', True),
    ):
        file.write_bytes(content)
        assert is_cut_off(file) is cut, (len(content), cut)
    assert not is_cut_off(tmp_path) and not is_cut_off(tmp_path / 'none.jpg')
