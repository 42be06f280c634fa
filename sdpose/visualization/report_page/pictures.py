"""Pictures of a page, which holds them itself."""

import base64
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from sdpose.errors import first_few
from sdpose.visualization.panel import draw_window, window_of
from sdpose.visualization.skeleton import Skeleton

_SIDE, _QUALITY = 360, 82


class Picture(NamedTuple):
    """A picture as it stands on a page.

    Attributes:
        caption: What is to be seen.
        file: Of the image.
        panels: What each panel shows, and the panel as a ``data:`` address.
    """

    caption: str
    file: str
    panels: list[tuple[str, str]]


def draw_panels(
    image: np.ndarray, held: Sequence[np.ndarray], people: Mapping[str, Sequence[np.ndarray]], skeleton: Skeleton
) -> list[tuple[str, str]]:
    """The same part of an image with other people in each panel.

    Args:
        image: (H, W, 3) uint8 BGR.
        held: People (K, 3) whose labelled joints are within the part.
        people: Those of each panel, by its label.
        skeleton: Limbs and colors.

    Returns:
        Labels and addresses.
    """
    window = window_of(held, [0.01] * len(held), image.shape)
    return [(label, address(draw_window(image, window, shown, skeleton, _SIDE))) for label, shown in people.items()]


def address(picture: np.ndarray) -> str:
    """A picture as the address of itself."""
    content = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return f'data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode()}'


def say_faults(faults: list[str]) -> list[str]:
    """What is said of pictures that could not be drawn."""
    return [f'{len(faults)} pictures are left out: {first_few(faults, 1)}'] if faults else []
