"""Whether annotations agree with themselves: joints with their box, both with their picture, weights with their loss.

What is wrong under every reading is refused, what is odd is remarked on, with the number of such people and the first
of them. A few odd ones are in every large data set, where they stay without a word.
"""

import numpy as np

from sdpose.errors import DataError

from .odd_sets import remarks_on_sets
from .people import People

_FEW = 0.02  # of all people
_CLEAR = 0.2  # of its size, by which a box begins beyond the corner for its two readings to differ
_MARGIN = 0.25  # of a box, beside which a joint may lie


def remarks_on(people: People, file: str) -> list[str]:
    """Compare the people of a data set with themselves.

    Args:
        people: The people.
        file: Their annotation file, for messages.

    Returns:
        Remarks, one sentence each.

    Raises:
        DataError: If a joint weighs less than nothing, no joint is labelled, or every box is smaller than a pixel.
    """
    _check_weights(people, file)
    remarks = [_remark_on_weights(people, file), *remarks_on_boxes(people, file)]
    remarks += [_remark_on_joints(people, file, ~are_fractions(people.boxes)), _remark_on_pictures(people, file)]
    return [remark for remark in remarks if remark] + remarks_on_sets(people, file)


def remarks_on_boxes(people: People, file: str) -> list[str]:
    """The part of :func:`remarks_on` that holds for boxes alone, as a detector's.

    Raises:
        DataError: If every box is smaller than a pixel.
    """
    remarks: list[str | None] = []
    if (fractions := are_fractions(people.boxes)).all():
        raise DataError(
            f'{file}: each of its {len(people)} boxes is smaller than a pixel (first: id {people.ids[0]}, '
            f'{_numbers(people.boxes[0])}), as fractions of the picture are: x, y, width, height are expected in pixels'
        )
    if fractions.any():
        hint = 'x, y, width, height are expected in pixels, not as fractions'
        remarks.append(_remark(people, file, fractions, 'have a box that is smaller than a pixel', hint))
    corners = look_like_corners(people)
    if corners.any():
        what = (
            'have a box that fits the picture and its joints as two corners, and ends outside or far from them as it is'
        )
        remarks.append(_remark(people, file, corners, what, 'x, y, width, height are expected, not x1, y1, x2, y2'))
    else:
        remarks.append(_remark_on_ends(people, file))
    return [remark for remark in remarks if remark]


def remarks_on_detections(people: People, file: str) -> list[str]:
    """The part of :func:`remarks_on` that holds for a detector's boxes.

    Raises:
        DataError: If every box is smaller than a pixel.
    """
    return remarks_on_boxes(people, file) + remarks_on_sets(people, file)


def _remark(people: People, file: str, odd: np.ndarray, what: str, hint: str) -> str:
    first = people.ids[int(odd.argmax())]
    return f'{file}: {int(odd.sum())} of {len(people)} {people.noun} {what} (first: id {first}): {hint}'


def _numbers(values: np.ndarray) -> str:
    return ', '.join(f'{value:g}' for value in values)


def _many(odd: np.ndarray) -> bool:
    """Whether odd ones are more than a large data set has anyhow."""
    return bool(odd.sum() > _FEW * len(odd))


def _check_weights(people: People, file: str) -> None:
    """Check that joints are labelled at all, and none weighs less than nothing."""
    below = (people.weights < 0).any(axis=1)
    if below.any():
        first = int(below.argmax())
        value = people.weights[first][people.weights[first] < 0][0]
        raise DataError(
            f'{file}: {int(below.sum())} of {len(people)} annotations have a joint with visibility {value:g} (first: '
            'id '
            f'{people.ids[first]}): it weighs the loss, which would drive the joint away from its place; 0 (not '
            'labelled), 1 (covered) and 2 (visible) are the values'
        )
    if not people.labelled.any():
        raise DataError(
            f'{file}: no joint of its {len(people)} people is labelled, since each has visibility 0: nothing can be '
            'learnt or measured; 1 (covered) and 2 (visible) are the values of labelled joints'
        )


def _remark_on_weights(people: People, file: str) -> str | None:
    odd = (people.weights != np.floor(people.weights)).any(axis=1)
    if not odd.any():
        return None
    first = people.weights[int(odd.argmax())]
    hint = (
        f'{first[first % 1 != 0][0]:g} is taken as the weight of the joint in the loss; 0, 1 and 2 are the usual values'
    )
    return _remark(people, file, odd, 'have a joint whose visibility is a fraction', hint)


def are_fractions(boxes: np.ndarray) -> np.ndarray:
    """Which boxes lie in the first pixel."""
    return np.all((boxes >= 0) & (boxes <= 1), axis=1)


def inside(people: People, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(N,) The share of each person's labelled joints between two corners, 1 for a person without any."""
    lies = people.labelled.copy()
    for axis in range(2):  # all(axis=2) takes several times as long
        places = people.joints[..., axis]
        lies &= (places >= low[:, axis, None]) & (places <= high[:, axis, None])
    count = people.labelled.sum(axis=1)
    return np.where(count > 0, lies.sum(axis=1) / np.maximum(count, 1), 1)


def ends_outside(people: People) -> np.ndarray:
    """Which boxes end outside their picture by more than rounding, or a hundredth of it."""
    ends = people.boxes[:, :2] + people.boxes[:, 2:]
    return (ends > people.sizes + np.maximum(2, 0.01 * people.sizes)).any(axis=1)


def look_like_corners(people: People) -> np.ndarray:
    """Which boxes are two corners by all that is known, if those of a data set are.

    Where a box begins close to the upper left corner, both readings are alike, and nothing is learnt from it.
    """
    low, high = people.boxes[:, :2], people.boxes[:, 2:]
    clear = (low > _CLEAR * np.maximum(high, 1)).any(axis=1) & (people.labelled.sum(axis=1) >= 2)
    beyond = (high > people.sizes + np.maximum(2, 0.01 * people.sizes)).any(axis=1)
    fits = (high > low).all(axis=1) & ~beyond & (inside(people, low - 1, high + 1) == 1)
    outside = ends_outside(people) & fits
    all_fit = clear.sum() >= 3 and (fits & clear).sum() > 0.95 * clear.sum()
    # A person who kneels at the lower border of one picture may fit both readings, not those of most pictures.
    likely = (outside.any() and fits.sum() > 0.8 * len(people)) or all_fit
    return outside | (fits & clear) if likely else np.zeros(len(people), bool)


def _remark_on_ends(people: People, file: str) -> str | None:
    odd = ends_outside(people)
    if not _many(odd) or odd.sum() < 0.1 * len(people):
        return None
    hint = 'boxes are cut at the border; x, y, width, height in pixels of the picture are expected'
    return _remark(people, file, odd, 'have a box that ends outside its picture', hint)


def _remark_on_joints(people: People, file: str, sound_box: np.ndarray) -> str | None:
    """Joints that lie elsewhere than their box, and by what reading they would not."""
    if not people.drawn:
        return _remark_on_first_pixel(people, file)
    low, high = people.boxes[:, :2], people.boxes[:, :2] + people.boxes[:, 2:]
    margin = _MARGIN * people.boxes[:, 2:]
    share = inside(people, low - margin, high + margin)
    odd = (share < 0.5) & (people.labelled.sum(axis=1) >= min(2, people.labelled.shape[1])) & sound_box
    if not _many(odd):
        return None
    none = share[odd].max() == 0
    what = (
        'have no labelled joint in their box' if none else 'have less than half of their labelled joints in their box'
    )
    return _remark(people, file, odd, what, _why_elsewhere(people, odd))


def _remark_on_first_pixel(people: People, file: str) -> str | None:
    """Joints as fractions, where boxes follow from a scale, whose unit each data set has its own."""
    corner = np.zeros((len(people), 2))
    odd = (inside(people, corner, corner + 1) == 1) & people.labelled.any(axis=1)
    if not odd.any():
        return None
    what = 'have no labelled joint outside the first pixel of their picture'
    return _remark(people, file, odd, what, 'x and y are expected in pixels of the picture, not as fractions')


def _why_elsewhere(people: People, odd: np.ndarray) -> str:
    """Which other reading of joints or boxes brings both together."""
    joints, labelled = people.joints[odd], people.labelled[odd]
    low, size = people.boxes[odd, :2], people.boxes[odd, 2:]

    def fits(moved: np.ndarray, corner: np.ndarray) -> bool:
        margin = _MARGIN * size
        lies = ((moved >= (corner - margin)[:, None]) & (moved <= (corner + size + margin)[:, None])).all(axis=2)
        return bool(lies[labelled].mean() > 0.9)

    if labelled.any() and 0 <= joints[labelled].min() and joints[labelled].max() <= 1:
        return 'they are fractions, as of the picture or of the box; x and y are expected in pixels of the picture'
    if fits(joints, low - size / 2):
        return "boxes fit as centre, width, height; x and y of the box's upper left corner are expected"
    if fits(joints + low[:, None], low):
        return 'joints fit as counted from the corner of their box; they are expected in pixels of the picture'
    if fits(joints[..., ::-1], low):
        return 'joints fit with x and y exchanged; x comes first'
    return 'joints or boxes belong to somebody else, or count otherwise than in pixels of the picture'


def _remark_on_pictures(people: People, file: str) -> str | None:
    """Labelled joints outside their picture."""
    slack = np.maximum(2, 0.1 * people.sizes)
    known = np.isfinite(people.sizes).all(axis=1)
    share = inside(people, -slack, people.sizes + slack)
    odd = known & (share < 0.5)
    if not _many(odd):
        return None
    hint = 'joints are expected in pixels of the picture, whose width and height the entry of the image has'
    return _remark(people, file, odd, 'have more than half of their labelled joints outside their picture', hint)
