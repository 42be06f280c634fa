"""Pictures and heatmaps that cost what photographs and a trained model's cost."""

from pathlib import Path
from typing import Any

SIZE = (640, 480)  # of COCO's pictures


def draw_pictures(folder: Path, pictures: int) -> None:
    """Write ``0.jpg`` and so on: coarse colours with some noise, whose files are as large as photographs'.

    Args:
        folder: Where they go.
        pictures: How many.
    """
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    for number in range(pictures):
        coarse = cv2.resize(rng.integers(0, 255, (24, 32, 3), np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
        noisy = np.clip(coarse + rng.normal(0, 5, coarse.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f'{number}.jpg'), noisy, [cv2.IMWRITE_JPEG_QUALITY, 92])


def draw_heatmaps(batch: int, size: tuple[int, int], joints: int = 17) -> Any:
    """Heatmaps (batch, joints, height, width), float32, as a trained model's: a peak with some noise in each.

    Args:
        batch: How many people.
        size: (width, height).
        joints: Of each.
    """
    import numpy as np

    rng = np.random.default_rng(batch)
    y, x = np.mgrid[: size[1], : size[0]]
    centre = rng.uniform(-2, np.array(size) + 1, (batch, joints, 2))[..., None, None]
    peaks = np.exp(-((x - centre[:, :, 0]) ** 2 + (y - centre[:, :, 1]) ** 2) / 8)
    return (peaks * rng.uniform(0.2, 1, (batch, joints, 1, 1)) + rng.normal(0, 0.01, peaks.shape)).astype(np.float32)
