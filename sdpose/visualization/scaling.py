"""Pictures made smaller or larger, and examples chosen among many."""

import cv2
import numpy as np


def scaled(picture: np.ndarray, scale: float) -> np.ndarray:
    """A picture (H, W, 3) with sides of ``scale`` times as many pixels, one at least, without steps or moire."""
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def evenly_spaced(total: int, most: int) -> list[int]:
    """Places among ``total`` things, first and last included: ``most`` of them, or all where there are fewer."""
    return np.linspace(0, total - 1, min(most, total)).round().astype(int).tolist()
