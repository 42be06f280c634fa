"""What the names of joints tell: side, part and half of the body, and which are mirror images of each other."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# Words for the two sides. Those of one or two letters count as a word of their own, or glued to a name whose other side
# is there, too (`lhip`, `rhip`).
_SIDES = (
    *(('left', 'right'), ('lft', 'rgt'), ('lt', 'rt'), ('l', 'r'), ('links', 'rechts'), ('gauche', 'droite')),
    *(('izquierda', 'derecha'), ('izquierdo', 'derecho'), ('sinistra', 'destra'), ('esquerda', 'direita')),
    ('左', '右'),
)
_OTHER_SIDE = {word: other for pair in _SIDES for word, other in (pair, pair[::-1])}
_SIDE = {word: side for pair in _SIDES for word, side in zip(pair, ('left', 'right'), strict=True)}
# Runs of capitals, words, numbers and what stands between them: `lEye`, `LEye`, `left_eye`, `Left Eye 2`.
_WORDS = re.compile(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]')
_LOWER = frozenset(
    'hip hips pelvis crotch groin thigh leg knee shin calf ankle foot toe heel hock stifle hind tail'.split()
)
_UPPER = frozenset(
    'nose eye ear head face forehead mouth lip chin jaw beak muzzle neck throat shoulder collar clavicle chest sternum '
    'thorax withers arm elbow forearm wrist hand thumb finger palm'.split()
)
_FRONT = frozenset(('front', 'fore'))


class JointGuess(NamedTuple):
    """What a joint's name tells.

    Attributes:
        name: The name.
        swap: Name of the mirror image, ``''`` if the joint has none.
        half: ``'upper'``, ``'lower'``, or ``''`` for neither.
        part: The name without its side, in small letters and digits, such as ``'shoulder'``.
        side: ``'left'``, ``'right'``, or ``''``.
    """

    name: str
    swap: str
    half: str
    part: str
    side: str


class _Reading(NamedTuple):
    """A name: that of its mirror image, its words without the side, and the side."""

    swap: str
    words: list[str]
    side: str


def guess_joints(names: Sequence[str]) -> list[JointGuess]:
    """Read the names of a data set's joints.

    Two joints are mirror images if each is named as the other with the word for the side exchanged. Halves are told
    only where both halves occur: a hand, or a tool, has none.

    Args:
        names: All names, no two of them equal but for their case.
    """
    known = {name.casefold(): name for name in names}
    read = {name: _read(name, known) for name in names}
    halves = {name: _half(read[name].words) for name in names}
    if not {'upper', 'lower'} <= {*halves.values()}:
        halves = dict.fromkeys(names, '')
    guesses = []
    for name in names:
        swap, words, side = read[name]
        if swap and read[swap].swap != name:
            swap = ''
        guesses.append(JointGuess(name, swap, halves[name], ''.join(filter(str.isalnum, ''.join(words))), side))
    return guesses


def same_joints(names: Sequence[str]) -> list[str]:
    """What a joint is, by its name: the same for ``left_hip``, ``Left Hip``, ``lHip`` and ``hip.L``.

    Args:
        names: All names of a data set. Where two of them would be the same, each stands for itself.
    """
    spelt = [name.casefold().replace(' ', '_').replace('-', '_') for name in names]
    if len({*spelt}) < len(spelt):
        return spelt
    plain = [f'{joint.side} {joint.part}' for joint in guess_joints(names)]
    return plain if len({*plain}) == len(plain) else spelt


def _read(name: str, known: dict[str, str]) -> _Reading:
    """A name among those that are known, by their small letters."""
    words = [word.casefold() for word in _WORDS.findall(name)]
    for place, side, other in _sides(words):
        begins = words[place].startswith(side)
        rest = words[place].removeprefix(side) if begins else words[place].removesuffix(side)
        turned = [*words[:place], other + rest if begins else rest + other, *words[place + 1 :]]
        if (found := known.get(''.join(turned))) is not None:
            return _Reading(found, [*words[:place], rest, *words[place + 1 :]], _SIDE[side])
    side = next((_SIDE[word] for word in words if word in _SIDE), '')
    return _Reading('', [word for word in words if word not in _SIDE], side)


def _sides(words: list[str]) -> Iterator[tuple[int, str, str]]:
    """The places of words for a side, whole words before those that begin or end one."""
    whole = [(place, word, _OTHER_SIDE[word]) for place, word in enumerate(words) if word in _OTHER_SIDE]
    yield from whole
    for side, other in _OTHER_SIDE.items():
        for place, word in enumerate(words):
            if word != side and (word.startswith(side) or word.endswith(side)):
                yield place, side, other


def _half(words: list[str]) -> str:
    """The half of the body that one of a name's words belongs to; a front leg is of the upper one."""
    plain = {*words, *(word.removesuffix('s') for word in words), ''.join(filter(str.isalnum, ''.join(words)))}
    if plain & _LOWER and not plain & _FRONT:
        return 'lower'
    return 'upper' if plain & (_UPPER | _FRONT) else ''
