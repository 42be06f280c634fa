"""Images that cannot be loaded are named."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import bombs
import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from sdpose.config.load import load_config
from sdpose.datasets.transforms import LoadCheckedImage
from sdpose.errors import DataError
from sdpose.io.single_picture import check_boxes, check_source


def _load(path: Path) -> dict:
    return LoadCheckedImage().transform(dict(img_path=str(path), img_id=7, id=70))


def test_an_image_is_loaded_as_mmpose_does(tmp_path: Path) -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    cv2.imwrite(str(tmp_path / 'a.png'), pixels)
    result = _load(tmp_path / 'a.png')
    np.testing.assert_array_equal(result['img'], pixels)
    assert result['ori_shape'] == (4, 4)


def test_an_array_needs_no_file() -> None:
    result = LoadCheckedImage().transform(dict(img=np.zeros((5, 6, 3), np.uint8)))
    assert result['img_shape'] == (5, 6)


@pytest.mark.parametrize(
    'content, reason', [(None, 'is missing'), (b'', 'cannot be decoded'), (b'\xff\xd8 not a jpeg', 'cannot be decoded')]
)
def test_bad_files(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / 'bad.jpg'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=f'image {path} {reason} \\(image id 7, annotation id 70\\)'):
        _load(path)


def test_a_folder_is_not_an_image(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='is a folder, not a file'):
        _load(tmp_path)


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'a.png')
    with pytest.raises(DataError, match=f'image {tmp_path}/a.png is a pipe, a socket or a device, not a file'):
        _load(tmp_path / 'a.png')


def test_a_link_to_an_image_is_one(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((4, 5, 3), 9, np.uint8))
    (tmp_path / 'b.png').symlink_to('a.png')
    assert _load(tmp_path / 'b.png')['img'].shape == (4, 5, 3)


@pytest.mark.parametrize('ending', bombs.ALL)
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f'a.{ending}').write_bytes(bombs.ALL[ending]())
    monkeypatch.setattr(cv2, 'imdecode', None)
    with pytest.raises(
        DataError,
        match=rf'^image {tmp_path}/a.{ending} is not read \(image id 7, annotation id 70\): '
        r'it declares more than 201 million pixels: scale it down, or remove it$',
    ):
        _load(tmp_path / f'a.{ending}')


@pytest.mark.parametrize('ending', ['png', 'jpg', 'bmp', 'tif', 'webp', 'gif', 'ppm'])
@pytest.mark.parametrize('share', [0.1, 0.5, 0.9])
def test_what_is_cut_off_is_named(tmp_path: Path, ending: str, share: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    content = cv2.imencode(f'.{ending}', pixels)[1].tobytes()
    (tmp_path / 'a').write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match='^image .*/a cannot be decoded .*: the file is damaged or is not an image'):
        _load(tmp_path / 'a')


def test_a_file_of_no_data_set_is_named_without_numbers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f'^image {tmp_path}/a.png is missing: put it there'):
        LoadCheckedImage().transform(dict(img_path=f'{tmp_path}/a.png'))


GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize('pixels', [GRAY, GRAY[..., None], np.dstack([GRAY] * 3), np.dstack([GRAY] * 3 + [GRAY * 0])])
def test_an_array_becomes_three_channels(pixels: np.ndarray) -> None:
    result = LoadCheckedImage().transform(dict(img=pixels))
    np.testing.assert_array_equal(result['img'], np.dstack([GRAY] * 3))
    assert result['ori_shape'] == result['img_shape'] == (3, 4) and result['img'].flags['C_CONTIGUOUS']


def test_the_order_of_colours_stays() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    np.testing.assert_array_equal(LoadCheckedImage().transform(dict(img=pixels))['img'], pixels[..., :3])


@pytest.mark.parametrize(
    'pixels, reason',
    [
        (GRAY.astype(np.uint16), r'8 bits \(uint8, 0 to 255\), got uint16'),
        (GRAY / 255, 'got float64'),
        (GRAY > 5, 'got bool'),
        (np.zeros((3, 4, 2), np.uint8), r'the shape \(H, W\), .*, got \(3, 4, 2\)'),
        (np.zeros((3, 40, 40), np.uint8), r'got \(3, 40, 40\)'),
        (np.zeros((1, 3, 4, 3), np.uint8), r'got \(1, 3, 4, 3\)'),
        (np.zeros((0, 4, 3), np.uint8), r'got \(0, 4, 3\)'),
        (np.zeros(5, np.uint8), r'got \(5,'),
        ([[1, 2]], 'an array of pixels or the name of a file, got list'),
        (None, 'got NoneType'),
    ],
)
def test_other_arrays_are_refused_in_one_line(pixels: object, reason: str) -> None:
    with pytest.raises(DataError, match=f'^an image must [^\n]*{reason}[^\n]*$'):
        LoadCheckedImage().transform(dict(img=pixels))


def test_an_array_of_a_data_set_is_taken_as_mmpose_does() -> None:
    pixels = np.full((3, 4, 3), 0.5)
    assert LoadCheckedImage().transform(dict(img=pixels, img_id=1))['img'] is pixels


NAN = float('nan')


@pytest.mark.parametrize(
    'box, reason',
    [
        ([[NAN, 10, 100, 100]], 'the box [nan, 10.0, 100.0, 100.0] holds a value that is no finite number'),
        ([[0, 10, float('inf'), 100]], 'the box [0.0, 10.0, inf, 100.0] holds a value'),
        (
            [[10, 10, 10, 50]],
            'the box [10, 10, 10, 50] has no extent (left, top, right, bottom; the picture has 160 x 120 '
            'pixels (w x h)): leave it out, or name bbox_format',
        ),
        ([[50, 60, 40, 100]], 'has no extent'),
        ([[10, 10, 50, 10]], 'has no extent'),
        (
            [[1000, 10, 1100, 100]],
            'lies outside the picture (left, top, right, bottom; the picture has 160 x 120 pixels',
        ),
        ([[160, 10, 170, 100]], 'lies outside'),
        ([[-20, 10, 0, 100]], 'lies outside'),
        ([[10, 120, 50, 130]], 'lies outside'),
        ([[10, -30, 50, -1]], 'lies outside'),
        ([[10, 10, 50, 60, 1]], 'must be four numbers'),
        ([7], 'must be four numbers'),
    ],
)
def test_a_box_without_content_is_refused(box: list, reason: str) -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    with pytest.raises(DataError, match=re.escape(reason)):
        LoadCheckedImage().transform(dict(img=image, bbox=np.array(box)))
    # A data set's boxes were looked at before the run.
    LoadCheckedImage().transform(dict(img=image, bbox=np.array(box), img_id=1))


@pytest.mark.parametrize('box', [[0, 0, 160, 120], [-50, -50, 0.5, 0.5], [159.5, 119.5, 900, 900], [3, 3, 3.1, 3.1]])
def test_a_box_that_reaches_into_the_picture_is_taken(box: list) -> None:
    found = LoadCheckedImage().transform(dict(img=np.zeros((120, 160, 3), np.uint8), bbox=np.array([box])))
    assert found['bbox'].tolist() == [box] and found['img_shape'] == (120, 160)


@pytest.fixture
def infer(repo_root: Path) -> Callable:
    """MMPose's ``inference_topdown`` with a small model of this project."""
    from mmpose.apis import inference_topdown, init_model  # not before this package made them fit

    torch.manual_seed(0)
    name = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'
    model = init_model(load_config(repo_root / 'configs/quick_start' / name), device='cpu')
    return lambda *args: inference_topdown(model, *args)


@pytest.mark.parametrize(
    'source, reason',
    [
        ('pipe.png', 'image pipe.png is a pipe, a socket or a device, not a file'),
        (Path('pipe.png'), 'image pipe.png is a pipe, a socket or a device, not a file'),
        ('.', 'image . is a folder, not a file'),
        ('none.png', 'image none.png is missing: put it there'),
        ('text.png', 'image text.png cannot be read: no picture'),
        ([[1, 2], [3, 4]], 'an image must be an array of pixels or the name of a file, got list'),
        (None, 'got NoneType'),
        (Image.new('RGB', (8, 8)), 'got Image'),
        (torch.zeros(8, 8, 3), 'got Tensor'),
        (np.zeros(5, np.uint8), r'must have the shape .*, got (5,)'),
    ],
)
@pytest.mark.parametrize('boxes', [None, [[1, 1, 5, 5]]])
def test_what_is_no_picture_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: object, reason: str, boxes: object
) -> None:
    """At once, with boxes and without; no model is asked."""
    from mmpose.apis import inference_topdown

    monkeypatch.chdir(tmp_path)
    os.mkfifo('pipe.png')
    Path('text.png').write_text('no picture')
    model = SimpleNamespace(
        cfg=Config(dict(default_scope='mmpose', test_dataloader=dict(dataset=dict(pipeline=[])))), dataset_meta={}
    )
    with pytest.raises(DataError, match=re.escape(reason).replace(r'\.\*', '.*')) as error:
        inference_topdown(model, source, boxes)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'boxes, reason',
    [
        ([10, 10, 50, 50], 'the boxes must be (N, 4) numbers, one row each, got the shape (4,)'),
        ([[10, 10, 50, 50, 0.9]], 'got the shape (1, 5)'),
        ([[['a', 'b']]], 'the boxes must be (N, 4) numbers'),
        ([[1, 2, 3], [1, 2, 3, 4]], 'the boxes must be (N, 4) numbers'),
        ('abcd', 'the boxes must be (N, 4) numbers'),
    ],
)
def test_boxes_of_another_form_are_one_line(boxes: object, reason: str) -> None:
    with pytest.raises(DataError, match=re.escape(reason)):
        check_boxes(boxes)


def test_a_path_is_the_name_of_a_file_and_no_box_is_none(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((4, 5, 3), np.uint8))
    assert check_source(tmp_path / 'a.png') == str(tmp_path / 'a.png')
    assert check_source('s3://bucket/a.png') == 's3://bucket/a.png'
    assert check_boxes(None) is None and check_boxes([]) is None and check_boxes(np.zeros((0, 4))) is None


def test_inference_of_grey_and_coloured_pictures_is_one(infer: Callable) -> None:
    gray = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (120, 160), np.uint8), (0, 0), 5)
    expected = infer(np.dstack([gray] * 3), np.array([[10, 10, 90, 110]]))[0].pred_instances
    for pixels in (gray, gray[..., None], np.dstack([gray] * 4)):
        found = infer(pixels, np.array([[10, 10, 90, 110]]))[0].pred_instances
        np.testing.assert_array_equal(found.keypoints, expected.keypoints)
    # Of several boxes the bad one is named; no box at all is the whole picture.
    with pytest.raises(DataError, match=r'the box \[1000, 1000, 1100, 1200\] lies outside'):
        infer(gray, np.array([[10, 10, 90, 110], [1000, 1000, 1100, 1200]]))
    whole = infer(gray, np.zeros((0, 4)))
    assert [sample.gt_instances.bboxes.tolist() for sample in whole] == [[[0, 0, 160, 120]]]
