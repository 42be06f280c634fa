"""Images that cannot be loaded are named."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sdpose.datasets.transforms import LoadCheckedImage
from sdpose.errors import DataError


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


@pytest.mark.parametrize('content, reason', [(None, 'is missing'), (b'', 'cannot be decoded'),
                                             (b'\xff\xd8 not a jpeg', 'cannot be decoded')])
def test_bad_files(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / 'bad.jpg'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=f'image {path} {reason} \\(image id 7, annotation id 70\\)'):
        _load(path)


def test_a_folder_is_not_an_image(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='cannot be opened'):
        _load(tmp_path)
