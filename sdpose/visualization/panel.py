"""The people of one picture, cut out large enough to be looked at, with their scores and a caption."""

from collections.abc import Sequence

import cv2
import numpy as np

from .scaling import scaled
from .skeleton import Skeleton
from .skeleton_drawing import draw_people

_PAPER, _INK = (245, 245, 245), (40, 40, 40)
_CAPTION = 26  # pixels, below a panel's upper edge
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_MARGIN = 0.12  # around the people, of the longer side of what holds them
_SMALLEST = 24  # pixels of the picture that are shown at least


def window_of(people: Sequence[np.ndarray], least: Sequence[float], shape: Sequence[int]) -> tuple[int, ...]:
    """The part of a picture that holds the people, with a margin: left, top, right, bottom; all of it without people.

    Args:
        people: Per person 3 K numbers x, y, v.
        least: For each person, the v from which on joints count.
        shape: Height and width of the picture.
    """
    joints = [np.asarray(person, float).reshape(-1, 3) for person in people]
    places = [each[each[:, 2] >= limit, :2] for each, limit in zip(joints, least, strict=True)]
    held = np.concatenate([np.zeros((0, 2)), *places])
    size = np.array([shape[1], shape[0]])
    held = np.clip(held[np.isfinite(held).all(axis=1)], 0, size)
    if not len(held):
        return 0, 0, shape[1], shape[0]
    begin, end = held.min(axis=0), held.max(axis=0)
    margin = max(_MARGIN * float((end - begin).max()), _SMALLEST / 2)
    begin, end = np.clip(np.floor(begin - margin), 0, size - 1), np.clip(np.ceil(end + margin), 1, size)
    return (*begin.astype(int).tolist(), *end.astype(int).tolist())


def draw_panel(
    image: np.ndarray,
    window: Sequence[int],
    people: Sequence[np.ndarray],
    skeleton: Skeleton,
    caption: str,
    side: int,
    scores: Sequence[float] | None = None,
    least: float = 0.01,
) -> np.ndarray:
    """A square of a picture's window with skeletons, the score above each, and a line of text at the top.

    Args:
        image: (H, W, 3) uint8 BGR.
        window: What of it is shown, as :func:`window_of` returns it.
        people: Per person 3 K numbers x, y, v.
        skeleton: Limbs and colors.
        caption: The line of text.
        side: Width of the panel in pixels; its height is more by the caption.
        scores: One for each person; None for annotated people, whose v are flags.
        least: Joints with a smaller v are left out.
    """
    part = draw_window(image, window, people, skeleton, side, scores, least)
    panel = np.full((side + _CAPTION, side, 3), _PAPER, np.uint8)
    y, x = _CAPTION + (side - part.shape[0]) // 2, (side - part.shape[1]) // 2
    panel[y : y + part.shape[0], x : x + part.shape[1]] = part
    text = caption.encode('ascii', 'replace').decode()  # what the font has
    cv2.putText(panel, text, (6, _CAPTION - 8), _FONT, 0.5, _INK, 1, cv2.LINE_AA)
    return panel


def draw_window(
    image: np.ndarray,
    window: Sequence[int],
    people: Sequence[np.ndarray],
    skeleton: Skeleton,
    side: int,
    scores: Sequence[float] | None = None,
    least: float = 0.01,
) -> np.ndarray:
    """A picture's window with skeletons, scaled so that its longer side has ``side`` pixels; as :func:`draw_panel`."""
    left, top, right, bottom = window
    scale = side / max(right - left, bottom - top)
    part = scaled(image[top:bottom, left:right], scale)
    moved = [_moved(person, (left, top), scale) for person in people]
    part = draw_people(part, moved, skeleton, least, flags=scores is None)
    for person, score in zip(moved, scores or ()):
        write_label(part, person, f'{score:.2f}', least)
    return part


def _moved(person: np.ndarray, corner: tuple[int, int], scale: float) -> np.ndarray:
    """A person in pixels of a window that was scaled."""
    joints = np.array(person, float).reshape(-1, 3)
    joints[:, :2] = (joints[:, :2] - corner + 0.5) * scale - 0.5
    return joints


def write_label(picture: np.ndarray, joints: np.ndarray, text: str, least: float) -> None:
    """Write a few characters above the head of a person, in place, white on a dark ground.

    Args:
        picture: (H, W, 3) uint8 BGR.
        joints: (K, 3): x, y, v of the person.
        text: The characters.
        least: Joints with a smaller v do not count.
    """
    shown = joints[joints[:, 2] >= least, :2]
    if not len(shown):
        return
    (width, height), _ = cv2.getTextSize(text, _FONT, 0.5, 1)
    x = int(np.clip(shown[:, 0].mean() - width / 2, 2, max(2, picture.shape[1] - width - 2)))
    y = int(np.clip(shown[:, 1].min() - 10, height + 3, max(height + 3, picture.shape[0] - 4)))
    cv2.rectangle(picture, (x - 2, y - height - 2), (x + width + 1, y + 3), _INK, cv2.FILLED)
    cv2.putText(picture, text, (x, y), _FONT, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
