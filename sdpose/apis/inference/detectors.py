"""Detectors of people by name; any callable does as well."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sdpose.errors import UserError
from sdpose.io.weights_file import load_file

from .person_finder import PersonFinder

_TORCHVISION = ('fasterrcnn_', 'retinanet_', 'fcos_', 'ssd300_', 'ssdlite320_')


def build_detector(name: str, device: str = 'cpu') -> Callable[[np.ndarray], np.ndarray]:
    """A detector of people.

    Args:
        name: A detection model of torchvision's, such as ``fasterrcnn_mobilenet_v3_large_320_fpn``, whose COCO weights
            lie where torch keeps downloaded files; or ``mediapipe``, :class:`PersonFinder`, in overlapping parts of the
            picture, too, as ``mediapipe:2``. ``NAME=FILE`` names the file of the weights.
        device: Where it runs.

    Returns:
        A function from a picture (H, W, 3) of 8 bits, blue, green, red, to (N, 5): left, top, right, bottom in pixels
        and score.

    Raises:
        UserError: If the name is unknown, or the weights are not there; nothing is downloaded.
    """
    kind, _, file = name.partition('=')
    if kind.startswith(_TORCHVISION):
        return TorchvisionDetector(kind, file or None, device)
    finder, _, tiles = kind.partition(':')
    if finder == 'mediapipe' and (not tiles or tiles.isdigit() and int(tiles)):
        return PersonFinder(file or None, int(tiles or 1))
    raise UserError(
        f'no detector is called {name!r}: name mediapipe, mediapipe:2 (for smaller people), or one of '
        'torchvision.models.detection, such as fasterrcnn_mobilenet_v3_large_320_fpn, or use a detection file (--boxes)'
    )


class TorchvisionDetector:
    """A detection model of torchvision's with its COCO weights.

    Args:
        name: Of ``torchvision.models.detection``.
        file: Its weights; None for where torch keeps downloaded ones.
        device: Where it runs.

    Raises:
        UserError: If there is no such model, or its weights are not there or another model's.
    """

    def __init__(self, name: str, file: str | None, device: str) -> None:
        from torchvision.models import get_model, get_model_weights

        try:
            weights: Any = get_model_weights(name).DEFAULT
        except ValueError as error:
            raise UserError(f'torchvision has no detection model {name!r}') from error
        categories = weights.meta['categories']
        path = Path(file) if file else Path(torch.hub.get_dir(), 'checkpoints', Path(weights.url).name)
        if not path.is_file():
            raise UserError(
                f'the weights of {name} are not at {path}: fetch them from {weights.url}, where the network allows it, '
                f'and put them there, or name the file as {name}=FILE'
            )
        self.person = categories.index('person')
        model = get_model(name, weights=None, weights_backbone=None, num_classes=len(categories))
        try:
            model.load_state_dict(load_file(path, 'cpu'))
        except (RuntimeError, TypeError, AttributeError) as error:
            raise UserError(f'{path} holds the weights of another model than {name}') from error
        self.model, self.device = model.eval().to(device), device

    @torch.inference_mode()
    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The people (N, 5) in a picture: left, top, right, bottom in pixels, and score."""
        rgb = np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1))
        (found,) = self.model([torch.from_numpy(rgb).to(self.device).float() / 255])
        people = found['labels'] == self.person
        return torch.cat([found['boxes'][people], found['scores'][people, None]], dim=1).cpu().numpy()
