"""Models of every family with random weights, and a picture, as a look inside takes them."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from families import FULL, SIZES, TINY, family

from sdpose.apis.inspection.crop import Crop, LoadedModel, crop_picture, load_model

_NAMES = {
    **TINY,
    'tokenpose': f'tokenpose-tiny{SIZES}',
    'sdpose-ppt': f'sdpose-ppt-tiny{SIZES}',
    'hrnet': FULL['b'],
    'mpii': 'tokenpose-tiny_stemnet_1xb32-10e_synthetic-mpii-64x64',
}


@pytest.fixture(scope='session')
def names() -> dict[str, str]:
    """The configs of the families."""
    return _NAMES


@pytest.fixture(scope='session')
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A picture of blurred noise, 120 x 160 (w x h)."""
    path = tmp_path_factory.mktemp('picture') / 'noise.png'
    noise = np.random.default_rng(0).integers(0, 256, (160, 120, 3), np.uint8)
    cv2.imwrite(str(path), cv2.GaussianBlur(noise, (9, 9), 0))
    return str(path)


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The checkpoint of a family's model with random weights, written once."""
    folder = tmp_path_factory.mktemp('weights')

    def write(name: str) -> str:
        path = folder / f'{name}.pth'
        if not path.exists():
            model, _ = family(_NAMES[name])
            torch.save(dict(state_dict=model.state_dict(), meta={}), path)
        return str(path)

    return write


@pytest.fixture(scope='session')
def loaded(checkpoint: Callable[..., str]) -> Callable[..., LoadedModel]:
    """A family's model, loaded from its checkpoint."""
    known: dict[str, LoadedModel] = {}

    def load(name: str) -> LoadedModel:
        if name not in known:
            known[name] = load_model(_NAMES[name], checkpoint(name))
        return known[name]

    return load


@pytest.fixture
def crop_of(loaded: Callable[..., LoadedModel], picture: str) -> Callable[[str], Crop]:
    """The picture as a family's model sees it."""
    return lambda name: crop_picture(loaded(name), picture)
