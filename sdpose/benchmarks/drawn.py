"""Pictures whose files are as large as photographs'."""

from pathlib import Path

SIZE = (640, 480)  # of COCO's pictures


def draw_pictures(folder: Path, pictures: int) -> None:
    """Write ``0.jpg`` and so on: coarse colours with some noise.

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
