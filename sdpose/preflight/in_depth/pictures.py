"""Every picture is decoded: whether it can be, its size, how it is turned, and what tells it from others."""

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from sdpose.errors import DataError, first_few
from sdpose.io.pictures import ORIENTATION, loaded_sizes, open_picture, refuse_special
from sdpose.io.processes import in_processes

from ..image_sizes import compare_sizes
from .finding import ERROR, WARNING, Finding, warnings

THUMB = 16  # pixels of the side of a picture's grey miniature
_CHUNK = 32  # pictures of a job


class Picture(NamedTuple):
    """What is known of a picture file.

    Attributes:
        fault: Why it cannot be read, empty if it can.
        sizes: (w, h) as a run may load it, the likeliest first.
        orientation: Of its EXIF data, 1 without.
        digest: A hash of the file.
        thumb: Its grey miniature, ``THUMB`` x ``THUMB`` bytes, turned as it is loaded.
    """

    fault: str = ''
    sizes: Sequence[tuple[int, int]] = ()
    orientation: int = 1
    digest: bytes = b''
    thumb: bytes = b''


def look_at_pictures(
    paths: Iterable[str], turns: bool, workers: int, progress: Callable[[int, int], None]
) -> dict[str, Picture]:
    """Read and decode pictures in several processes.

    Args:
        paths: Files that are there.
        turns: Whether a run turns pictures as their EXIF data ask for.
        workers: Processes.
        progress: Called with the number of pictures that were looked at, and of all.
    """
    names = list(dict.fromkeys(paths))
    jobs = [names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK)]
    found: dict[str, Picture] = {}
    for pictures in in_processes(partial(_look, turns), jobs, workers):
        found.update(pictures)
        progress(len(found), len(names))
    return {name: found[name] for name in names}


def _look(turns: bool, paths: list[str]) -> dict[str, Picture]:
    return {path: look_at_picture(path, turns) for path in paths}


def look_at_picture(path: str, turns: bool) -> Picture:
    """Read and decode a picture file, in a reduced size where its format allows for it."""
    try:
        refuse_special(path)
        content = Path(path).read_bytes()
        digest = hashlib.blake2b(content, digest_size=16).digest()
        with open_picture(io.BytesIO(content)) as image:
            orientation, sizes = image.getexif().get(ORIENTATION, 1), loaded_sizes(image, turns)
            image.draft('L', (8 * THUMB, 8 * THUMB))  # of a JPEG, whose whole stream is read all the same
            image.load()
            grey = np.asarray(image.convert('L').resize((THUMB, THUMB), Image.Resampling.BOX))
    except DataError as error:
        return Picture(str(error).removeprefix(f'image {path} ').removeprefix('is '))
    except FileNotFoundError:
        return Picture('is missing')
    except Exception as error:  # whatever a damaged file leads to
        return Picture(' '.join(str(error).split()) or type(error).__name__)
    return Picture('', sizes, orientation, digest, grey.tobytes())


def remarks_on_pictures(
    file: str, pictures: Mapping[str, Picture], sizes: Mapping[str, tuple[float, float]], turns: bool
) -> list[Finding]:
    """What is wrong with the pictures of a data set, beside those that are missing.

    Args:
        file: Its annotation file or folder, for messages.
        pictures: By path.
        sizes: (w, h) as the annotation file says, by path, where it does.
        turns: Whether a run turns pictures as their EXIF data ask for.
    """
    findings = []
    broken = [f'{path} ({each.fault})' for path, each in pictures.items() if each.fault]
    if broken:
        findings.append(
            Finding(
                ERROR,
                f'{len(broken)} of {len(pictures)} pictures of {file} cannot be read whole: {first_few(broken)}; fetch '
                'them again, or remove them from the annotations',
            )
        )
    findings += warnings(compare_sizes(file, sizes, {path: pictures[path].sizes for path in sizes}))
    turned = [path for path, each in pictures.items() if each.orientation not in (0, 1)]
    if turned:
        how = 'loaded turned as it says' if turns else 'loaded as stored, not as viewers show them'
        findings.append(
            Finding(
                WARNING,
                f'{len(turned)} of {len(pictures)} pictures of {file} have an EXIF orientation and are {how} '
                f'({first_few(turned)}): see that joints were annotated in that view',
            )
        )
    return findings
