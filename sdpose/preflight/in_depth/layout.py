"""Whether joints lie where joints of their names usually lie: their order, and left and right.

By distances, which no pose, view or turn of the camera changes for most people: an elbow is closer to its shoulder than
the wrist is, a shoulder is closer to the head than a hip. Left and right by the direction in which people look: of a
person whose eyes are seen, the left one is on the right of the picture, if the head is up.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..coco_fields import plain_name
from .finding import WARNING, Finding

_HEADS = ('nose', 'head', 'tophead', 'headtop')
# Of three joints, the second is usually closer to the first than the third is; S is a side, O the other one.
_NEARER = (
    ('Sshoulder', 'Selbow', 'Swrist'),
    ('Swrist', 'Selbow', 'Sshoulder'),
    ('Ship', 'Sknee', 'Sankle'),
    ('Sankle', 'Sknee', 'Ship'),
    ('Sshoulder', 'Ship', 'Sankle'),
    ('Selbow', 'Sshoulder', 'Oshoulder'),
    ('Sankle', 'Sknee', 'Oknee'),
    ('nose', 'Seye', 'Sear'),
    ('nose', 'Sear', 'Sshoulder'),
    ('Sear', 'Seye', 'Oear'),
    ('pelvis', 'Ship', 'Sknee'),
    ('thorax', 'Sshoulder', 'Ship'),
    ('neck', 'Sshoulder', 'Ship'),
    ('upperneck', 'headtop', 'pelvis'),
    *((head, 'Sshoulder', 'Ship') for head in _HEADS),
    *((head, 'Ship', 'Sankle') for head in _HEADS),
)
_ENOUGH = 20  # people, to speak of what is usual
_ENOUGH_SIDES = 40
_ODD = 0.45  # of all people, at least, against whom a rule must stand; by chance and by poses it is less than 0.35
_EXCHANGED = 0.1  # of the people whose eyes are seen
_BACKS = 0.55  # of all people, at least: of photographs and drawings it is half at most


class Layout(NamedTuple):
    """Joints of N people: names of K joints, places (N, K, 2), flags of visibility (N, K), ids N of any type."""

    names: Sequence[str]
    joints: np.ndarray
    flags: np.ndarray
    ids: Sequence[object]


def remarks_on_layout(file: str, layout: Layout) -> list[Finding]:
    """Compare the places of joints with their names.

    Args:
        file: The annotation file, for messages.
        layout: The people.

    Returns:
        Findings; none for joints whose names say nothing of a body, and for too few people.
    """
    order = _remark_on_order(file, layout)
    return [order] if order else [each for each in (_remark_on_sides(file, layout),) if each]


def _rules(names: Sequence[str]) -> list[tuple[int, int, int]]:
    """The rules of :data:`_NEARER` about joints that there are."""
    places = {plain_name(name): place for place, name in enumerate(names)}
    rules = []
    for rule in _NEARER:
        for side, other in (('left', 'right'), ('right', 'left')):
            found = [places.get(name.replace('S', side).replace('O', other)) for name in rule]
            if None not in found and tuple(found) not in rules:
                rules.append(tuple(found))
    return rules  # type: ignore[return-value]  # three integers each


def broken_shares(names: Sequence[str], joints: np.ndarray, labelled: np.ndarray) -> dict[tuple[int, int, int], tuple]:
    """For each rule about the joints, the share of people against it, and how many people tell.

    Args:
        names: Of the K joints.
        joints: (N, K, 2).
        labelled: (N, K).
    """
    shares = {}
    for rule in _rules(names):
        base, near, far = rule
        tells = labelled[:, rule].all(axis=1)
        place = joints[tells][:, rule].astype(np.float64)
        distances = np.linalg.norm(place[:, 1:] - place[:, :1], axis=2)  # (n, 2)
        told = int((distances.max(axis=1) > 0).sum()) if len(place) else 0
        against = int((distances[:, 0] > distances[:, 1]).sum())
        shares[rule] = (against / max(told, 1), told)
    return shares


def _surely(share: float, count: int) -> float:
    """The least share that an observed one stands for, at two standard deviations."""
    return share - 2 * (share * (1 - share) / max(count, 1) + 0.25 / max(count, 1) ** 2) ** 0.5


def _remark_on_order(file: str, layout: Layout) -> Finding | None:
    """Joints in another order than their names'."""
    labelled = layout.flags > 0
    shares = broken_shares(layout.names, layout.joints, labelled)
    odd = {rule: each for rule, each in shares.items() if each[1] >= _ENOUGH and _surely(*each) > _ODD}
    if not odd:
        return None
    (base, near, far), (share, told) = max(odd.items(), key=lambda item: item[1][0])
    names = layout.names
    text = (
        f'{file}: joints seem to be in another order than that of the metainfo: in {100 * share:.0f} % of {told} '
        f'people {names[near]} is farther from {names[base]} than {names[far]} is'
    )
    more = f' (and {len(odd) - 1} more such rules of {len(shares)})' if len(odd) > 1 else ''
    return Finding(WARNING, f'{text}{more}{_which_order(layout, labelled, len(odd))}')


def _which_order(layout: Layout, labelled: np.ndarray, broken: int) -> str:
    """What order would fit, if it is one of those that happen."""
    count = len(layout.names)
    swapped = np.arange(count)
    places = {plain_name(name): place for place, name in enumerate(layout.names)}
    for name, place in places.items():
        for one, other in (('left', 'right'), ('right', 'left')):
            if name.startswith(one):
                swapped[place] = places.get(other + name.removeprefix(one), place)
    candidates = {
        'they fit when each is read one place later: indices begin with 1': np.roll(np.arange(count), -1),
        'they fit when each is read one place earlier': np.roll(np.arange(count), 1),
        'they fit in the reverse order': np.arange(count)[::-1],
        'they fit with left and right exchanged': swapped,
    }
    for words, order in candidates.items():
        shares = broken_shares(layout.names, layout.joints[:, order], labelled[:, order])
        if sum(told >= _ENOUGH and _surely(share, told) > _ODD for share, told in shares.values()) == 0:
            return f'; {words}'
    return '; compare the order of keypoints in the file with keypoint_info of the metainfo'


def _remark_on_sides(file: str, layout: Layout) -> Finding | None:
    """Left and right exchanged, in everybody or in some."""
    places = {plain_name(name): place for place, name in enumerate(layout.names)}
    cure = "the person's own left is meant, which is on the right of the picture if the person looks at the camera"
    eyes = [places[name] for name in ('lefteye', 'righteye', 'nose') if name in places]
    if not {'leftwrist', 'leftankle'} & places.keys():  # of an animal, whose head is before its hips, not above
        return None
    if len(eyes) == 3:
        seen = (layout.flags[:, eyes] >= max(1, min(2, layout.flags.max(initial=0)))).all(axis=1)
        across = _across(layout, places, 'eye')
        sure = seen & np.isfinite(across) & (abs(across) > 0.2)
        wrong = sure & (across < 0)
        share = wrong.sum() / max(sure.sum(), 1)
        if sure.sum() >= _ENOUGH and _surely(share, int(sure.sum())) > _EXCHANGED:
            first = layout.ids[int(wrong.argmax())]
            return Finding(
                WARNING,
                f'{file}: {int(wrong.sum())} of {int(sure.sum())} people whose face is seen have left and right '
                f'exchanged (first: id {first}): {cure}',
            )
        return None
    across = np.stack([_across(layout, places, part) for part in ('shoulder', 'hip')])
    sure = (abs(across) > 0.2).all(axis=0) & (across[0] * across[1] > 0)
    backs = sure & (across[0] < 0)
    share = backs.sum() / max(sure.sum(), 1)
    if sure.sum() < _ENOUGH_SIDES or _surely(share, int(sure.sum())) <= _BACKS:
        return None
    return Finding(
        WARNING,
        f'{file}: {int(backs.sum())} of {int(sure.sum())} people turn their back to the camera by their shoulders and '
        f'hips, more than photographs show: left and right may be exchanged; {cure}',
    )


def _across(layout: Layout, places: dict[str, int], part: str) -> np.ndarray:
    """(N,) How far a left joint lies where that of a person who looks at the camera lies, from -1 to 1.

    The sine of the angle from the right joint to the left one against the direction upwards: from the hips to the
    shoulders or the head, or the picture's where these are not labelled; NaN where the pair is not.
    """

    def middle(names: Sequence[str]) -> np.ndarray:
        found = [places[name] for name in names if name in places]
        known = layout.flags[:, found, None] > 0
        count = known.sum(axis=1)
        total = np.where(known, layout.joints[:, found], 0).sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    with np.errstate(invalid='ignore'):
        up = middle(('leftshoulder', 'rightshoulder')) - middle(('lefthip', 'righthip'))
        up = np.where(np.isfinite(up).all(axis=1, keepdims=True), up, (0.0, -1.0))
        pair = [places[f'{side}{part}'] for side in ('left', 'right') if f'{side}{part}' in places]
        if len(pair) < 2:
            return np.full(len(layout.joints), np.nan)
        known = (layout.flags[:, pair] > 0).all(axis=1)
        vector = layout.joints[:, pair[0]].astype(np.float64) - layout.joints[:, pair[1]]
        length = np.linalg.norm(vector, axis=1) * np.linalg.norm(up, axis=1)
        cross = up[:, 0] * vector[:, 1] - up[:, 1] * vector[:, 0]
        return np.where(known & (length > 0), cross / np.where(length > 0, length, 1), np.nan)
