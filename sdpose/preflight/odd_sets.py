"""What is odd about the people of a data set as a whole: repeated ones, joints far away, numbers in percent."""

import numpy as np

from .people import People

_FEW = 0.02  # of all people, who may be repeated
_FAR = 10  # times the larger side of its picture, beyond which no joint lies
_FAR_ANYWHERE = 1e6  # pixels, where the size of a picture is not known
_SCALES = ((100, 'percent of the picture'), (1000, 'thousandths of the picture'))
_ENOUGH = 10  # people, and a third of that of pictures, to tell such numbers from pixels


def remarks_on_sets(people: People, file: str) -> list[str]:
    """Look at all people of a data set together.

    Args:
        people: The people.
        file: Their file, for messages.

    Returns:
        Remarks, one sentence each.
    """
    remarks = (_remark_on_repeats(people, file), _remark_on_far_joints(people, file), _remark_on_scale(people, file))
    return [remark for remark in remarks if remark]


def repeated_people(people: People) -> tuple[np.ndarray, np.ndarray]:
    """People who are listed twice, with the same numbers.

    Returns:
        (R,) the places of those who repeat another one, and (R,) of whom they repeat.
    """
    keys = (*people.boxes.T, people.pictures)
    order = np.lexsort(keys)
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    ours, others = order[1:][same], order[:-1][same]
    if people.labelled.shape[1]:
        equal = (people.joints[ours] == people.joints[others]).all(axis=(1, 2)) & people.labelled[ours].any(axis=1)
        ours, others = ours[equal], others[equal]
    return ours, others


def _remark_on_repeats(people: People, file: str) -> str | None:
    if not people.labelled.shape[1]:  # detections, of whom the metric's suppression leaves one
        return None
    ours, others = repeated_people(people)
    if len(ours) <= _FEW * len(people):
        return None
    first = ours.argmin()
    return (
        f'{file}: {len(ours)} of {len(people)} {people.noun} repeat another one of their picture, number by number '
        f'(first: ids {people.ids[others[first]]} and {people.ids[ours[first]]}): such people count twice; remove one '
        'of each two'
    )


def _remark_on_far_joints(people: People, file: str) -> str | None:
    """Labelled joints that cannot belong to their picture."""
    sizes = people.sizes.max(axis=1)
    limits = np.where(np.isfinite(sizes), np.maximum(_FAR * sizes, 1000), _FAR_ANYWHERE)
    far = ((abs(people.joints) > limits[:, None, None]).any(axis=2) & people.labelled).any(axis=1)
    if not far.any():
        return None
    first = int(far.argmax())
    joints = people.joints[first][people.labelled[first]]
    value = joints.ravel()[abs(joints).argmax()]
    return (
        f'{file}: {int(far.sum())} of {len(people)} {people.noun} have a labelled joint far outside their picture '
        f'(first: id {people.ids[first]}, at {value:g}): it cannot be learnt or found; correct it, or set its '
        'visibility to 0'
    )


def _remark_on_scale(people: People, file: str) -> str | None:
    """Boxes and joints of all people within the first 100 pixels of large pictures, or the first 1000."""
    ends = people.boxes[:, :2] + people.boxes[:, 2:]
    for scale, unit in _SCALES:
        large = np.asarray((people.sizes > 2 * scale).all(axis=1))  # False where unknown
        if large.sum() < _ENOUGH or len(np.unique(people.pictures[large])) < _ENOUGH // 3:
            continue
        numbers = np.concatenate([ends[large].ravel(), people.joints[large][people.labelled[large]].ravel()])
        if 0.5 * scale < numbers.max() <= 1.01 * scale and people.boxes[large].min() >= 0:
            first = people.ids[int(large.argmax())]
            return (
                f'{file}: {int(large.sum())} of {len(people)} {people.noun} lie within the first {scale} pixels of '
                f'pictures that are more than twice as large (first: id {first}), as numbers in {unit} do: x, y, width '
                'and height are expected in pixels'
            )
    return None
