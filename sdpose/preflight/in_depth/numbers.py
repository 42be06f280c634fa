"""Counts and distributions of a data set: what a person looks at before anything is trained."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..people import People

_SMALL, _LARGE = 32.0**2, 96.0**2  # square pixels, COCO's limits
_QUANTILES = (0, 10, 50, 90, 100)


def numbers_of_people(people: People, names: Sequence[str], flags: np.ndarray) -> dict[str, Any]:
    """Describe the people of a data set.

    Args:
        people: Its N people.
        names: Of the K joints.
        flags: (N, K) visibility as the file has it.

    Returns:
        ``people``, ``without_joints``; of the others ``box_heights`` (quantiles 0, 10, 50, 90, 100 in pixels),
        ``areas`` (shares of boxes up to 32 x 32, up to 96 x 96 and larger), ``labelled`` (how many people have 0, 1 ...
        K labelled joints), ``per_picture`` (quantiles), ``joints`` (``name``, the share of people in whom it is
        ``labelled``, and of these in whom it is ``visible``).
    """
    labelled = people.labelled
    counts = labelled.sum(axis=1)
    areas = people.boxes[:, 2] * people.boxes[:, 3]
    limits = [areas <= _SMALL, (areas > _SMALL) & (areas <= _LARGE), areas > _LARGE]
    _, each = np.unique(people.pictures, return_counts=True)
    known, seen = labelled.sum(axis=0), (labelled & (flags >= 2)).sum(axis=0)
    tells = bool((flags >= 2).any())  # some tools write 1 for every joint
    return dict(
        people=len(people),
        without_joints=int((counts == 0).sum()),
        box_heights=_quantiles(people.boxes[:, 3]),
        areas=[float(each.mean()) if len(people) else 0.0 for each in limits],
        labelled=np.bincount(counts, minlength=len(names) + 1).tolist(),
        per_picture=_quantiles(each),
        joints=[
            dict(
                name=name,
                labelled=float(known[place] / max(len(people), 1)),
                visible=float(seen[place] / known[place]) if tells and known[place] else None,
            )
            for place, name in enumerate(names)
        ],
    )


def numbers_of_sizes(sizes: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Quantiles of the widths and heights of pictures."""
    array = np.array(sizes, np.float64).reshape(-1, 2)
    return dict(widths=_quantiles(array[:, 0]), heights=_quantiles(array[:, 1])) if len(array) else {}


def _quantiles(values: np.ndarray) -> list[float]:
    return np.percentile(values, _QUANTILES).round(1).tolist() if len(values) else []
