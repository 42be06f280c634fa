"""What a user is told of a new data set: what was read, and what was guessed."""

from collections.abc import Sequence

from sdpose.config.joint_sides import JointGuess
from sdpose.errors import first_few

from .annotations import Subjects, is_usable
from .asked import Asked
from .parts import Part
from .sigmas import Sigmas

_PAIRS_SHOWN = 30


def say_where(asked: Asked, train: Part, val: Part) -> str:
    """How folders and split came about."""
    said = 'picture folder as it was given' if asked.images else f'picture folder {train.folder}'
    if asked.val is not None:
        return said if asked.images or train.folder == val.folder else f'{said}, {val.folder}'
    return f'{said}; {len(val.images)} of {len(train.images) + len(val.images)} pictures drawn at random to validate on'


def say_joints(joints: Sequence[JointGuess], sigmas: Sigmas) -> list[str]:
    """What was guessed of the joints, one line each."""
    pairs = [f'{joint.name} - {joint.swap}' for joint in joints if joint.swap]
    pairs = [pair for place, pair in enumerate(pairs) if ' - '.join(pair.split(' - ')[::-1]) not in pairs[:place]]
    single = [joint.name for joint in joints if not joint.swap]
    lines = [
        f'mirrored pairs: {first_few(pairs, _PAIRS_SHOWN) or "none"}; without one: {first_few(single, 5) or "none"}'
    ]
    halves = {half: sum(joint.half == half for joint in joints) for half in ('upper', 'lower')}
    told = f'{halves["upper"]} joints upper, {halves["lower"]} lower' if any(halves.values()) else 'none'
    lines.append(f'halves of the body: {told}')
    if sigmas.guessed:
        lines.append(f"sigmas: {sigmas.default}, the mean of COCO's, for {first_few(sigmas.guessed, 5)}")
    return lines


def say_read(subjects: Subjects, train: Part, val: Part) -> list[str]:
    """What the files say, one line each."""
    counts = [f'{sum(map(is_usable, part.annotations))} in {len(part.images)} pictures' for part in (train, val)]
    return [
        f'{subjects.category}: {len(subjects.joints)} joints, {len(subjects.limbs)} limbs',
        f'{counts[0]} to train on, {counts[1]} to validate on',
    ]
