"""The fields of a person: joints, box, counts and area."""

from collections import Counter
from typing import Any

from sdpose.datasets.joint_box import AREA, area_of_box, box_of_joints, cut_box
from sdpose.preflight.coco_fields import is_number
from sdpose.preflight.entries import flat

Entry = dict[str, Any]


def repair_person(ann: Entry, image: Entry, joints: int, cut: bool, done: Counter[str]) -> None:
    """The fields of one person; ``cut`` whether its box may be cut at the border of the image."""
    crowd = ann.get('iscrowd')
    if type(crowd) is not int and (crowd is None or isinstance(crowd, bool)):
        ann['iscrowd'] = int(bool(crowd))
        done['iscrowd written as a number'] += 1
    if not isinstance(ann['keypoints'], list) or len(ann['keypoints']) != 3 * joints:
        return
    flags = ann['keypoints'][2::3]
    if not all(map(is_number, ann['keypoints'])) or min(flags) < 0:
        return
    labelled = [
        (x, y) for x, y, flag in zip(*(ann['keypoints'][axis::3] for axis in range(3)), strict=True) if flag > 0
    ]
    if ann.get('num_keypoints') != len(labelled):
        ann['num_keypoints'] = len(labelled)
        done['num_keypoints counted anew'] += 1
    _repair_box(ann, image, labelled, cut, done)
    if not is_number(ann.get('area')) or ann['area'] <= 0:
        if is_box(ann.get('bbox')):
            ann['area'] = area_of_box(ann['bbox'])
            done[f'areas estimated as {AREA} of the box'] += 1


def repair_joints(ann: Entry, joints: int, done: Counter[str]) -> None:
    """Joints as one list of x, y and visibility, those that cannot be placed without a label."""
    if flat(ann) is not ann:
        ann['keypoints'] = flat(ann)['keypoints']
        done['key points written as one list'] += 1
    values = ann['keypoints']
    if not isinstance(values, list):
        return
    if len(values) == 2 * joints and not all(number in (0, 1, 2) for number in values[2::3]):
        pairs = zip(values[::2], values[1::2], strict=True)
        ann['keypoints'] = values = [each for x, y in pairs for each in ((x, y, 2) if x or y else (0, 0, 0))]
        done['people given visibility: 2, and 0 for joints at (0, 0)'] += 1
    if len(values) != 3 * joints:
        return
    flags = [flag for flag in values[2::3] if is_number(flag)]
    for place in range(0, len(values), 3):
        x, y, flag = values[place : place + 3]
        if isinstance(flag, bool):
            values[place + 2] = int(flag)
            done['visibility written as a number'] += 1
        elif not (is_number(x) and is_number(y)) or (x == y == 0 and is_number(flag) and flag > 0):
            values[place : place + 3] = [0, 0, 0]
            done['joints at (0, 0) or without numbers marked as not labelled'] += 1
        elif is_number(flag) and flag < 0 and max(flags) > 0:  # who has no other flag means something by it
            values[place + 2] = 0
            done['joints with negative visibility marked as not labelled'] += 1


def is_box(box: Any) -> bool:
    """Whether this is a box with an extent, in numbers."""
    return isinstance(box, list) and len(box) == 4 and all(map(is_number, box)) and box[2] > 0 and box[3] > 0


def _repair_box(ann: Entry, image: Entry, labelled: list[tuple[float, float]], cut: bool, done: Counter[str]) -> None:
    """A box within its image; one that is missing or has nothing of it is made of the labelled joints."""
    size: list[Any] = [image.get(key) for key in ('width', 'height')]
    if not all(is_number(each) and each > 0 for each in size):
        return
    box = cut_box(ann['bbox'], size) if is_box(ann.get('bbox')) else None
    if box is not None:
        if cut and any(abs(one - other) > 1e-6 for one, other in zip(box, ann['bbox'], strict=True)):
            ann['bbox'] = box
            done['boxes cut at the border of their image'] += 1
        return
    if labelled and (box := box_of_joints(labelled, (size[0], size[1]))) is not None:
        ann['bbox'] = box
        done['boxes made of labelled joints and a tenth of their extent around them'] += 1


def without_empty(annotations: list[Entry], done: Counter[str]) -> list[Entry]:
    """Annotations without those that have neither a box in their image nor a labelled joint."""
    kept = [ann for ann in annotations if 'keypoints' not in ann or is_box(ann.get('bbox')) or ann.get('num_keypoints')]
    done['people with neither a box nor a labelled joint dropped'] += len(annotations) - len(kept)
    return kept
