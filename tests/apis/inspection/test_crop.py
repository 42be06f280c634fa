"""A picture as the model sees it, and the model's joints."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from families import family

from sdpose.apis.inspection.crop import crop_picture, load_model
from sdpose.errors import ConfigError, DataError, MismatchError, UserError
from sdpose.io.checkpoint import CYCLE_ADAPTER, STRIPPED


def test_the_crop_is_the_models_input(loaded: Callable, picture: str) -> None:
    model = loaded('sdpose')
    crop = crop_picture(model, picture, (20, 30, 60, 80))
    assert crop.pixels.shape == (64, 48, 3) and crop.pixels.dtype == np.uint8 and crop.inputs.shape == (1, 3, 64, 48)
    # The box of 60 x 80, padded by 1.25, has the crop's aspect ratio: 75 x 100 around (50, 70), scaled by 0.64.
    pixels = cv2.imread(picture)
    matrix = np.array([[0.64, 0, 0.64 * -12.5], [0, 0.64, 0.64 * -20]])
    expected = cv2.warpAffine(pixels, matrix, (48, 64), flags=cv2.INTER_LINEAR)[..., ::-1]
    assert np.abs(crop.pixels.astype(int) - expected).mean() < 3
    mean, std = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    normalized = (crop.pixels - mean) / std
    np.testing.assert_allclose(crop.inputs[0].numpy().transpose(1, 2, 0), normalized, atol=1e-4)
    from_array = crop_picture(model, pixels, (20, 30, 60, 80))
    assert (from_array.pixels == crop.pixels).all()
    assert crop_picture(model, picture).pixels.shape == (64, 48, 3)  # the whole picture
    assert model.joints[:2] == ('nose', 'left_eye') and len(model.joints) == 17 and not model.is_classifier


def test_later_cycles_of_a_file_without_their_adapters_are_refused(picture: str, tmp_path: Path) -> None:
    """A published one: they would be drawn with adapters that have learned nothing."""
    name = 'sdpose-relaxed-tiny_stemnet_1xb32-30e_synthetic-64x48'
    weights = family(name)[0].state_dict()
    left = {key: value for key, value in weights.items() if not key.startswith(CYCLE_ADAPTER)}
    for content in (weights, left):
        meta = {STRIPPED: sorted(weights.keys() - content.keys())}
        torch.save(dict(state_dict=content, meta=meta), tmp_path / f'{len(content)}.pth')
    whole, published = (load_model(name, str(tmp_path / f'{len(each)}.pth')) for each in (weights, left))
    assert len(crop_picture(whole, picture).run_cycles().cycles) == 2
    with pytest.raises(ConfigError, match=rf'{len(left)}.pth was published without its cycle adapters.*the training'):
        crop_picture(published, picture).run_cycles()


def test_a_classifiers_crop_is_the_picture_again(loaded: Callable, picture: str) -> None:
    model = loaded('deit')
    crop = crop_picture(model, picture)
    pixels = cv2.imread(picture)[..., ::-1]
    assert (crop.pixels == pixels[60:100, 40:80]).all()  # the centre, 40 x 40
    assert model.joints == ('class',) and model.is_classifier
    with pytest.raises(ConfigError, match='a classifier takes the whole picture'):
        crop_picture(model, picture, (0, 0, 9, 9))
    with pytest.raises(DataError, match='reads the picture from a file'):
        crop_picture(model, pixels)


def test_bad_input_is_named(
    checkpoint: Callable, loaded: Callable, picture: str, names: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(MismatchError, match='does not fit the model'):
        load_model(names['sdpose'], checkpoint('reg'))
    with pytest.raises(UserError, match='checkpoint nothing.pth does not exist'):
        load_model(names['sdpose'], 'nothing.pth')
    fewer = {'num_keypoints': 14}
    with pytest.raises(UserError, match='the model has 14 query tokens, but its data have 17 joints'):
        model, _ = family(names['sdpose'], **fewer)
        torch.save(dict(state_dict=model.state_dict()), tmp_path / 'fewer.pth')
        load_model(names['sdpose'], str(tmp_path / 'fewer.pth'), fewer)
    model = loaded('sdpose')
    (tmp_path / 'text.jpg').write_text('no picture')
    with pytest.raises(DataError, match=r'text.jpg cannot be read'):
        crop_picture(model, tmp_path / 'text.jpg')
    with pytest.raises(DataError, match=r'image .*none.jpg is missing'):
        crop_picture(model, tmp_path / 'none.jpg')
    with pytest.raises(DataError, match=r'the box \[200.* lies outside the picture'):
        crop_picture(model, picture, (200, 0, 10, 10))
    with pytest.raises(DataError, match='has no extent'):
        crop_picture(model, picture, (20, 0, 0, 10))
