"""Joint angles: names, limits, and families of everyday poses.

A pose is one float array of degrees in the order of ``ANGLES``.  Positive means: trunk bends and head nods
forward, limbs flex, arms and legs spread outward, limbs turn inward, the foot points down, everything else
turns or tilts to the person's own left.  Limits follow the normal ranges of motion of the American Academy of
Orthopaedic Surgeons.
"""

from collections.abc import Callable

import numpy as np

_CENTRAL = {
    'lean': (-30, 60),
    'bend': (-25, 75),
    'side': (-30, 30),
    'twist': (-40, 40),
    'nod': (-40, 45),
    'tilt': (-30, 30),
    'turn': (-70, 70),
}
_PAIRED = {
    'shoulder_flex': (-50, 175),
    'shoulder_spread': (-15, 165),
    'shoulder_turn': (-60, 85),
    'elbow': (0, 145),
    'hip_flex': (-25, 120),
    'hip_spread': (-12, 45),
    'hip_turn': (-40, 35),
    'knee': (0, 140),
    'ankle': (-20, 45),
}
LIMITS = {**_CENTRAL, **{f'{side}_{name}': limit for side in ('left', 'right') for name, limit in _PAIRED.items()}}
ANGLES = tuple(LIMITS)
INDEX = {name: index for index, name in enumerate(ANGLES)}
_ARM_ANGLES = ('shoulder_flex', 'shoulder_spread', 'shoulder_turn', 'elbow')
_LOW, _HIGH = np.array(list(LIMITS.values()), float).T
_SWAP = np.array([INDEX[name.replace('left', '#').replace('right', 'left').replace('#', 'right')] for name in ANGLES])
_SIGN = np.array([-1.0 if name in ('side', 'twist', 'tilt', 'turn') else 1.0 for name in ANGLES])


def mirrored(pose: np.ndarray) -> np.ndarray:
    """The pose a mirror shows: left and right swapped, turns and tilts reversed."""
    return pose[_SWAP] * _SIGN


def clipped(pose: np.ndarray) -> np.ndarray:
    """The pose within its joint limits."""
    return np.clip(pose, _LOW, _HIGH)


def make_pose(**degrees: float) -> np.ndarray:
    """A pose from named angles; a name without a side, such as ``elbow``, sets both sides."""
    pose = np.zeros(len(ANGLES))
    for name, value in degrees.items():
        if name in INDEX:
            pose[INDEX[name]] = value
        else:
            pose[INDEX[f'left_{name}']] = pose[INDEX[f'right_{name}']] = value
    return pose


def _arm(rng: np.random.Generator, side: str) -> dict[str, float]:
    """One arm of a person who stands about: hanging, on the hip, folded, in a pocket, on the phone."""
    n, kind = rng.normal, rng.choice(6, p=[0.42, 0.16, 0.12, 0.12, 0.1, 0.08])
    flex, spread, turn, elbow = [
        (n(3, 9), n(10, 5), n(15, 15), abs(n(14, 10))),
        (n(-18, 6), n(42, 6), n(72, 6), n(92, 8)),
        (n(28, 6), n(4, 4), n(72, 6), n(98, 8)),
        (n(-14, 6), n(20, 5), n(25, 8), n(42, 8)),
        (n(30, 8), n(8, 5), n(30, 10), n(112, 10)),
        (n(55, 10), n(15, 6), n(30, 10), n(138, 5)),
    ][kind]
    return {
        f'{side}_shoulder_flex': flex,
        f'{side}_shoulder_spread': spread,
        f'{side}_shoulder_turn': turn,
        f'{side}_elbow': elbow,
    }


def _trunk(rng: np.random.Generator, amount: float = 1.0) -> dict[str, float]:
    n = rng.normal
    return dict(
        bend=n(2, 5 * amount), side=n(0, 5 * amount), twist=n(0, 7 * amount), nod=n(2, 8), tilt=n(0, 6), turn=n(0, 18)
    )


def stand(rng: np.random.Generator) -> np.ndarray:
    """Upright, weight on both legs or one, arms in everyday places."""
    n = rng.normal
    legs = {
        f'{side}_{name}': value
        for side in ('left', 'right')
        for name, value in (
            ('hip_flex', n(3, 4)),
            ('hip_spread', abs(n(5, 4))),
            ('hip_turn', n(-10, 8)),
            ('knee', abs(n(4, 5))),
        )
    }
    if rng.random() < 0.3:
        legs.update(left_hip_flex=n(14, 5), left_knee=n(26, 8))
    return make_pose(**_trunk(rng), **_arm(rng, 'left'), **_arm(rng, 'right'), **legs)


def _stride(rng: np.random.Generator, swing: float, lift: float, elbow: float, lean: float) -> np.ndarray:
    """Arms and legs in anti-phase, as in a walk or run; the phase is uniform."""
    n, wave = rng.normal, np.sin(rng.uniform(0, 2 * np.pi))
    swing, angles = swing * rng.uniform(0.7, 1.2), dict(lean=lean, **_trunk(rng, 0.6))
    angles['twist'] = -8 * wave
    for side, phase in (('left', wave), ('right', -wave)):
        angles[f'{side}_hip_flex'] = swing * phase + lean
        angles[f'{side}_knee'] = 6 + max(0.0, lift * (0.55 - phase)) * rng.uniform(0.4, 1)
        angles[f'{side}_ankle'] = n(10 if phase < 0 else -4, 5)
        angles[f'{side}_hip_spread'] = n(3, 2)
        angles[f'{side}_shoulder_flex'] = -swing * phase * 1.05
        angles[f'{side}_shoulder_spread'] = n(11, 4)
        angles[f'{side}_shoulder_turn'] = n(18, 10)
        angles[f'{side}_elbow'] = elbow + 12 * -phase + n(0, 7)
    return make_pose(**angles)


def walk(rng: np.random.Generator) -> np.ndarray:
    """A walk."""
    return _stride(rng, 26, 34, 22, 2)


def run(rng: np.random.Generator) -> np.ndarray:
    """A run."""
    return _stride(rng, 48, 80, 82, 10)


def wave(rng: np.random.Generator) -> np.ndarray:
    """One arm raised to wave or reach, sometimes both."""
    n, pose = rng.normal, stand(rng)
    for side in ('left', 'right')[: 2 if rng.random() < 0.25 else 1]:
        raised = [(n(15, 12), n(125, 20), n(-5, 20), abs(n(35, 25))), (n(95, 25), n(20, 12), n(10, 15), abs(n(20, 18)))]
        values = raised[int(rng.random() < 0.35)]
        for name, value in zip(_ARM_ANGLES, values, strict=True):
            pose[INDEX[f'{side}_{name}']] = value
    return pose


def sit(rng: np.random.Generator) -> np.ndarray:
    """Seated, hands on the thighs, at the chin or gesturing."""
    n, angles = rng.normal, dict(_trunk(rng))
    angles['bend'] = n(6, 8)
    for side in ('left', 'right'):
        angles[f'{side}_hip_flex'], angles[f'{side}_knee'] = n(84, 5), n(82, 10)
        angles[f'{side}_hip_spread'], angles[f'{side}_hip_turn'] = abs(n(9, 6)), n(0, 6)
        angles[f'{side}_shoulder_flex'], angles[f'{side}_shoulder_spread'] = n(24, 10), n(8, 5)
        angles[f'{side}_shoulder_turn'], angles[f'{side}_elbow'] = n(25, 14), n(48, 18)
    return make_pose(**angles)


def squat(rng: np.random.Generator) -> np.ndarray:
    """Squatting or picking something up."""
    n, depth = rng.normal, rng.uniform(0.35, 1.0)
    angles = dict(bend=n(34, 10) * depth, lean=12 * depth, nod=n(-12, 8), turn=n(0, 15), twist=n(0, 6))
    for side in ('left', 'right'):
        angles[f'{side}_hip_flex'], angles[f'{side}_knee'] = 100 * depth + n(0, 6), 105 * depth + n(0, 8)
        angles[f'{side}_hip_spread'], angles[f'{side}_ankle'] = abs(n(14, 7)), n(-12, 4)
        angles[f'{side}_shoulder_flex'], angles[f'{side}_shoulder_spread'] = n(50, 20), n(12, 7)
        angles[f'{side}_shoulder_turn'], angles[f'{side}_elbow'] = n(15, 14), abs(n(35, 25))
    return make_pose(**angles)


def free(rng: np.random.Generator) -> np.ndarray:
    """Dance and sport: every angle drawn from a wide part of its range."""
    centre = make_pose(
        shoulder_flex=45, shoulder_spread=45, shoulder_turn=15, elbow=50, hip_flex=22, hip_spread=14, knee=32, ankle=12
    )
    width = 0.17 * (_HIGH - _LOW)
    width[: len(_CENTRAL)] *= 0.6
    return centre + rng.normal(size=len(ANGLES)) * width


FAMILIES: dict[str, Callable[[np.random.Generator], np.ndarray]] = dict(
    stand=stand, walk=walk, run=run, wave=wave, sit=sit, squat=squat, free=free
)


def sample_pose(rng: np.random.Generator, family: str) -> np.ndarray:
    """A pose of the family within the joint limits, left- or right-handed with equal probability."""
    pose = clipped(FAMILIES[family](rng))
    return mirrored(pose) if rng.random() < 0.5 else pose
