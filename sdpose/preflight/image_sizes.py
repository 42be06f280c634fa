"""Whether pictures have the size that the annotation file says, by their headers alone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sdpose.datasets.array_coco_dataset import ArraySamples
from sdpose.datasets.picture_size import said_size, why_other_size
from sdpose.io.pictures import loaded_sizes, open_picture

_LOOKED_AT = 256


def said_sizes(samples: Sequence[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """The size (w, h) that each picture of a data set should have, by its path.

    Args:
        samples: What the class of the data set reads: those with ``img_path``, and ``entry_size`` (w, h) or
            ``img_shape`` (h, w), count. Of a data set on arrays, as many as are looked at.
    """
    if isinstance(samples, ArraySamples):
        return dict(samples.said_sizes(_LOOKED_AT))
    return {info['img_path']: size for info in samples if (size := said_size(info)) is not None}


def remark_on_sizes(file: str, sizes: dict[str, tuple[float, float]], steps: Iterable[dict[str, Any]]) -> list[str]:
    """Compare pictures, evenly spread over a data set, with their entries.

    The step that loads pictures compares each of them again.

    Args:
        file: The annotation file, for the remark.
        sizes: The size (w, h) that each picture should have, by its path.
        steps: The pipeline, whose loading step says whether a picture is turned as its EXIF data ask for.

    Returns:
        One remark, or none. A picture that cannot be read is left to the loading step.
    """
    paths = sorted(sizes)
    if len(paths) > _LOOKED_AT:
        paths = [paths[number * len(paths) // _LOOKED_AT] for number in range(_LOOKED_AT)]
    turns = turns_pictures(steps)
    return compare_sizes(file, {path: sizes[path] for path in paths}, {path: _sizes_of(path, turns) for path in paths})


def compare_sizes(
    file: str, sizes: Mapping[str, tuple[float, float]], loaded: Mapping[str, Sequence[tuple[int, int]]]
) -> list[str]:
    """Compare the sizes (w, h) that a file says with those in which pictures will be loaded.

    Args:
        file: The annotation file, for the remark.
        sizes: What it says, by path.
        loaded: What may be, by path, the likeliest first; nothing for a picture that cannot be read.

    Returns:
        One remark, or none.
    """
    other = [path for path, said in sizes.items() if loaded[path] and tuple(said) not in loaded[path]]
    if not other:
        return []
    path, size = other[0], loaded[other[0]][0]
    return [
        f'{len(other)} of {len(sizes)} pictures that were looked at have another size than {file} says (first: {path} '
        f'is loaded as {size[0]} x {size[1]}, its entry says {sizes[path][0]:g} x '
        f'{sizes[path][1]:g}): {why_other_size(size, sizes[path])}'
    ]


def turns_pictures(steps: Iterable[dict[str, Any]]) -> bool:
    """Whether the loading step turns a picture as its EXIF data ask for, as it does unless told otherwise."""
    kinds = [step.get('color_type', 'color') for step in steps if str(step.get('type')).endswith('Image')]
    return not any(kind == 'unchanged' or 'ignore_orientation' in str(kind) for kind in kinds)


def _sizes_of(path: str, turns: bool) -> list[tuple[int, int]]:
    """As :func:`loaded_sizes` of a file, nothing for one that cannot be read; the loading step will name it."""
    try:
        with open_picture(path) as image:
            return loaded_sizes(image, turns)
    except Exception:  # whatever a damaged header leads to
        return []
