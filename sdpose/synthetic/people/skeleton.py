"""Joints, body parts and segment lengths of a synthetic person.

Segment ratios: Drillis & Contini (1966) as tabulated by Winter, *Biomechanics and Motor Control of Human
Movement*, figure 4.1, in units of stature.  Its widths run between outer bone points; joint centres lie
inward of them by about the radius of the limb, hence the two factors below.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

COCO_JOINTS = (
    'nose',
    'left_eye',
    'right_eye',
    'left_ear',
    'right_ear',
    'left_shoulder',
    'right_shoulder',
    'left_elbow',
    'right_elbow',
    'left_wrist',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_knee',
    'right_knee',
    'left_ankle',
    'right_ankle',
)
JOINTS = COCO_JOINTS + ('head_top', 'upper_neck', 'thorax', 'pelvis')
JOINT_INDEX = {name: index for index, name in enumerate(JOINTS)}


def _indices(*names: str) -> tuple[int, ...]:
    return tuple(JOINT_INDEX[name] for name in names)


COCO_17 = _indices(*COCO_JOINTS)
CROWDPOSE_14 = _indices(
    'left_shoulder',
    'right_shoulder',
    'left_elbow',
    'right_elbow',
    'left_wrist',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_knee',
    'right_knee',
    'left_ankle',
    'right_ankle',
    'head_top',
    'upper_neck',
)
MPII_16 = _indices(
    'right_ankle',
    'right_knee',
    'right_hip',
    'left_hip',
    'left_knee',
    'left_ankle',
    'pelvis',
    'thorax',
    'upper_neck',
    'head_top',
    'right_wrist',
    'right_elbow',
    'right_shoulder',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
)

COCO_LIMBS = (
    (15, 13),
    (13, 11),
    (16, 14),
    (14, 12),
    (11, 12),
    (5, 11),
    (6, 12),
    (5, 6),
    (5, 7),
    (6, 8),
    (7, 9),
    (8, 10),
    (1, 2),
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (3, 5),
    (4, 6),
)
"""COCO's published skeleton, as pairs of zero-based joint indices."""


class Part(IntEnum):
    """What a pixel of a person shows; 0 is kept for everything that is not a person."""

    HEAD = 1
    HAIR = 2
    NECK = 3
    TORSO = 4
    PELVIS = 5
    SKIRT = 6
    LEFT_UPPER_ARM = 7
    RIGHT_UPPER_ARM = 8
    LEFT_FOREARM = 9
    RIGHT_FOREARM = 10
    LEFT_HAND = 11
    RIGHT_HAND = 12
    LEFT_THIGH = 13
    RIGHT_THIGH = 14
    LEFT_SHANK = 15
    RIGHT_SHANK = 16
    LEFT_FOOT = 17
    RIGHT_FOOT = 18


def _adjoining() -> dict[int, frozenset[Part]]:
    table: dict[str, tuple[Part, ...]] = {name: (Part.HEAD,) for name in ('nose', 'left_eye', 'right_eye')}
    table['head_top'] = (Part.HEAD, Part.HAIR)
    table['upper_neck'] = (Part.HEAD, Part.NECK, Part.HAIR)
    table['thorax'] = (Part.NECK, Part.TORSO)
    table['pelvis'] = (Part.TORSO, Part.PELVIS, Part.SKIRT)
    for side in ('left', 'right'):
        part = {
            name: Part[f'{side}_{name}'.upper()] for name in ('upper_arm', 'forearm', 'hand', 'thigh', 'shank', 'foot')
        }
        table[f'{side}_ear'] = (Part.HEAD, Part.HAIR)
        table[f'{side}_shoulder'] = (Part.TORSO, part['upper_arm'])
        table[f'{side}_elbow'] = (part['upper_arm'], part['forearm'])
        table[f'{side}_wrist'] = (part['forearm'], part['hand'])
        table[f'{side}_hip'] = (Part.TORSO, Part.PELVIS, Part.SKIRT, part['thigh'])
        table[f'{side}_knee'] = (Part.SKIRT, part['thigh'], part['shank'])
        table[f'{side}_ankle'] = (part['shank'], part['foot'])
    return {JOINT_INDEX[name]: frozenset(parts) for name, parts in table.items()}


ADJOINING = _adjoining()
"""Per joint, the parts that show it: a joint whose pixel shows one is visible.  Clothes count as the body."""


@dataclass(frozen=True)
class Proportions:
    """Lengths of one person in units of stature; ``girth`` scales every radius."""

    upper_arm: float = 0.186
    forearm: float = 0.146
    hand: float = 0.100
    thigh: float = 0.245
    shank: float = 0.246
    foot: float = 0.152
    ankle_height: float = 0.039
    trunk: float = 0.288
    neck: float = 0.050
    half_shoulders: float = 0.129 * 0.84
    half_hips: float = 0.0955 * 0.68
    head: float = 0.130
    girth: float = 1.0


def sample_proportions(rng: np.random.Generator, broad: float) -> Proportions:
    """Proportions jittered by 4 % per segment.

    Args:
        rng: Source of randomness.
        broad: -1 for wide hips and narrow shoulders ... 1 for wide shoulders and narrow hips.
    """
    base = Proportions()
    jitter = {
        name: getattr(base, name) * float(np.clip(rng.normal(1, 0.04), 0.9, 1.1))
        for name in ('upper_arm', 'forearm', 'hand', 'thigh', 'shank', 'foot', 'trunk', 'neck')
    }
    return Proportions(
        half_shoulders=base.half_shoulders * (1 + 0.07 * broad) * rng.uniform(0.97, 1.03),
        half_hips=base.half_hips * (1 - 0.06 * broad) * rng.uniform(0.97, 1.03),
        head=base.head * rng.uniform(1.04, 1.16),  # a little large, so that faces stay legible
        girth=float(np.clip(rng.normal(1.0, 0.1), 0.85, 1.3)),
        **jitter,
    )
