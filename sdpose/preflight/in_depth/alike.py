"""Pictures that are there twice: in one data set, or in two splits of it.

Files are compared by a hash, pictures by a difference hash (which of two neighbours of a grey miniature is brighter, 64
bits) and then by the miniatures themselves, so that flat pictures are not taken for one another.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from sdpose.errors import first_few

from .finding import ERROR, WARNING, Finding
from .pictures import THUMB, Picture

_BITS = 4  # of 64 by which the hashes of two copies may differ
_LEVELS = 6.0  # of 255 by which their miniatures may differ in the mean
_MANY = 0.01  # of a split's pictures, beyond which its numbers are worth nothing
_ROWS = 64  # of pictures compared with all others at a time
_CANDIDATES = 8  # of equal hashes whose miniatures are compared, of each picture: blank ones are like thousands


def difference_hashes(thumbs: np.ndarray) -> np.ndarray:
    """(N,) uint64 of miniatures (N, THUMB, THUMB): 8 rows of 8 comparisons of neighbours."""
    grey = thumbs.astype(np.float32).reshape(-1, 8, THUMB // 8, THUMB).mean(axis=2)  # (N, 8, THUMB)
    columns = np.linspace(0, THUMB - 1, 9).round().astype(int)
    bits = grey[:, :, columns[1:]] > grey[:, :, columns[:-1]]
    return np.packbits(bits.reshape(-1, 64), axis=1).view(np.uint64).ravel()


def find_alike(ours: np.ndarray, theirs: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of pictures that look the same, one of each of ours at most.

    Args:
        ours: (N, THUMB, THUMB) miniatures.
        theirs: (M, THUMB, THUMB).
    """
    pairs = []
    mine, others = difference_hashes(ours), difference_hashes(theirs)
    for start in range(0, len(mine), _ROWS):
        different = _differing_bits(mine[start : start + _ROWS, None] ^ others[None])
        rows, columns = np.nonzero(different <= _BITS)
        few = np.arange(len(rows)) - np.searchsorted(rows, rows) < _CANDIDATES
        rows, columns = rows[few], columns[few]
        close = np.abs(ours[start + rows].astype(np.float32) - theirs[columns]).mean(axis=(1, 2)) <= _LEVELS
        _, first = np.unique(rows[close], return_index=True)
        pairs += list(zip((start + rows[close][first]).tolist(), columns[close][first].tolist(), strict=True))
    return pairs


def _differing_bits(words: np.ndarray) -> np.ndarray:
    """How many bits of each uint64 are set; NumPy 1 cannot tell by itself."""
    if hasattr(np, 'bitwise_count'):
        return np.bitwise_count(words)
    table = np.array([bin(byte).count('1') for byte in range(256)], np.uint8)
    return table[words[..., None].view(np.uint8)].sum(axis=-1)


def remarks_on_copies(file: str, pictures: Mapping[str, Picture]) -> list[Finding]:
    """Pictures of one data set that are there twice, as the same file or looking the same."""
    sound = {path: each for path, each in pictures.items() if not each.fault}
    first: dict[bytes, str] = {}
    copies = [(first[each.digest], path) for path, each in sound.items() if first.setdefault(each.digest, path) != path]
    findings = []
    if copies:
        findings.append(
            Finding(
                WARNING,
                f'{len(copies)} of {len(pictures)} pictures of {file} are copies of another one, byte by byte '
                f'({_pairs(copies)}): their people count twice; remove them',
            )
        )
    paths = list(first.values())
    same = _same_looks(paths, sound)
    if same:
        findings.append(
            Finding(
                WARNING,
                f'{len(same)} of {len(pictures)} pictures of {file} look like another one, though their files differ '
                f'({_pairs(same)}): scaled or compressed anew, or frames of one scene',
            )
        )
    return findings


def _same_looks(paths: Sequence[str], pictures: Mapping[str, Picture]) -> list[tuple[str, str]]:
    """Pictures of equal hashes and like miniatures; a second comparison of all with all would take too long."""
    if not paths:
        return []
    thumbs = thumbs_of([pictures[path] for path in paths])
    hashes = difference_hashes(thumbs)
    order = np.argsort(hashes, kind='stable')
    equal = hashes[order[1:]] == hashes[order[:-1]]
    ours, others = order[1:][equal], order[:-1][equal]
    close = np.abs(thumbs[ours].astype(np.float32) - thumbs[others]).mean(axis=(1, 2)) <= _LEVELS
    return [(paths[a], paths[b]) for a, b in zip(others[close].tolist(), ours[close].tolist(), strict=True)]


def thumbs_of(pictures: Sequence[Picture]) -> np.ndarray:
    """(N, THUMB, THUMB) uint8, the miniatures of pictures that were read."""
    return np.frombuffer(b''.join(each.thumb for each in pictures), np.uint8).reshape(-1, THUMB, THUMB)


def remarks_on_leaks(
    name: str, pictures: Mapping[str, Picture], other: str, theirs: Mapping[str, Picture]
) -> list[Finding]:
    """Pictures of a split that are in the training data as well.

    Args:
        name: The split.
        pictures: Its pictures by path.
        other: The split that it must be apart from.
        theirs: Its pictures.

    Returns:
        An error where the numbers of the split are worth nothing, a warning of a few.
    """
    mine = {path: each for path, each in pictures.items() if not each.fault}
    known = {path: each for path, each in theirs.items() if not each.fault}
    if not mine or not known:
        return []
    by_digest = {each.digest: path for path, each in known.items()}
    copies = [(path, by_digest[each.digest]) for path, each in mine.items() if each.digest in by_digest]
    left = [path for path, each in mine.items() if each.digest not in by_digest]
    paths = list(known)
    pairs = find_alike(thumbs_of([mine[path] for path in left]), thumbs_of(list(known.values())))
    alike = [(left[a], paths[b]) for a, b in pairs]
    findings = []
    for found, how in ((copies, f'are in the {other} data, too'), (alike, f'look like one of the {other} data')):
        if found:
            level = ERROR if len(found) > _MANY * len(mine) and found is copies else WARNING
            text = f'{len(found)} of {len(mine)} pictures of the {name} data {how} ({_pairs(found)})'
            findings.append(
                Finding(level, f'{text}: what is learnt by heart is measured; remove them from one of both')
            )
    return findings


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return first_few([f'{one} and {other}' for one, other in pairs], 2)
