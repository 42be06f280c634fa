"""What of a data set's metainfo decides how its people are drawn: limbs, sides and colors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdpose.config.joint_names import joint_names

Color = tuple[int, int, int]
"""Blue, green and red, as OpenCV has them."""

_COLORS: dict[str, Color] = dict(left=(40, 150, 255), right=(255, 160, 40), middle=(90, 220, 90))
_SIDES = {side: re.compile(rf'{side}|(?<![a-z]){side[0]}(?![a-z])', re.IGNORECASE) for side in ('left', 'right')}


@dataclass(frozen=True)
class Skeleton:
    """Limbs and colors.

    Attributes:
        limbs: Pairs of joint indices.
        limb_colors: One for each limb.
        joint_colors: One for each joint.
    """

    limbs: tuple[tuple[int, int], ...]
    limb_colors: tuple[Color, ...]
    joint_colors: tuple[Color, ...]

    @classmethod
    def by_sides(cls, limbs: Sequence[tuple[int, int]], sides: Sequence[str]) -> 'Skeleton':
        """The person's left is orange, the right is blue, the middle, and what joins two sides, is green.

        Args:
            limbs: Pairs of joint indices.
            sides: ``'left'``, ``'right'`` or ``'middle'`` for each joint.
        """
        pairs = tuple((int(a), int(b)) for a, b in limbs)
        colors = tuple(_COLORS[sides[a] if sides[a] == sides[b] else 'middle'] for a, b in pairs)
        return cls(pairs, colors, tuple(_COLORS[side] for side in sides))

    @classmethod
    def from_metainfo(cls, metainfo: Mapping[str, Any]) -> 'Skeleton':
        """The limbs of a metainfo and its colors; where it has one color only, those of the sides.

        Args:
            metainfo: As :func:`mmpose.datasets.datasets.utils.parse_pose_metainfo` returns it.
        """
        names = joint_names(metainfo)
        limbs = [(int(a), int(b)) for a, b in metainfo.get('skeleton_links') or ()]
        skeleton = cls.by_sides(limbs, sides_of(names, metainfo.get('flip_indices')))
        limb_colors, joint_colors = _colors(metainfo, 'skeleton_link_colors'), _colors(metainfo, 'keypoint_colors')
        complete = len(limb_colors) == len(limbs) and len(joint_colors) == len(names)
        if not complete or len({*limb_colors, *joint_colors}) < 2:
            return skeleton
        return cls(skeleton.limbs, limb_colors, joint_colors)


def sides_of(names: Sequence[str], partners: Sequence[int] | None = None) -> tuple[str, ...]:
    """Left, right or middle for each joint, by its name: ``left_knee``, ``RightKnee``, ``L_Knee``.

    Args:
        names: Of the joints.
        partners: The index of each joint's mirror image, its own for one of the middle. Of a pair whose names do not
            tell, the first is taken for left.
    """
    sides = [next((side for side, rule in _SIDES.items() if rule.search(name)), 'middle') for name in names]
    for joint, partner in enumerate(partners if partners is not None else ()):
        if joint < partner and sides[joint] == sides[partner] == 'middle':
            sides[joint], sides[partner] = 'left', 'right'
    return tuple(sides)


def _colors(metainfo: Mapping[str, Any], key: str) -> tuple[Color, ...]:
    """Colors of a metainfo, which are red, green and blue there."""
    colors = np.asarray(metainfo.get(key, ()), int).reshape(-1, 3)
    return tuple((int(blue), int(green), int(red)) for red, green, blue in colors)
