"""Which classes are taken for which.

Shapes: N images, C classes.
"""

from typing import NamedTuple

import numpy as np


class ClassNumbers(NamedTuple):
    """How well a class is told.

    Attributes:
        name: Of the class.
        images: How many it has.
        top1: The share that is told.
        taken_for: The class that most of the others are taken for, empty if there are none.
        share: How many of the class's images that is.
    """

    name: str
    images: int
    top1: float
    taken_for: str
    share: float


def ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The number (N,) of classes before each image's own, as ``TopKAccuracy`` counts them.

    Args:
        scores: (N, C), of the classes.
        labels: (N,), the images' own.
    """
    own = scores[np.arange(len(labels)), labels][:, None]
    before = np.arange(scores.shape[1]) < labels[:, None]
    ahead = ((scores > own) | (before & (scores == own))).sum(axis=1)
    return np.where(np.isfinite(scores).all(axis=1), ahead, scores.shape[1])


def confusion(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many images (C, C) of each class are taken for each."""
    number = scores.shape[1]
    taken = np.where(np.isnan(scores), -np.inf, scores).argmax(axis=1)
    return np.bincount(labels * number + taken, minlength=number**2).reshape(number, number)


def class_numbers(table: np.ndarray, names: list[str]) -> list[ClassNumbers]:
    """The numbers of the classes that have images, the worst first.

    Args:
        table: (C, C), as :func:`confusion` returns it.
        names: Of the classes.
    """
    found = []
    for number in np.flatnonzero(table.sum(axis=1)).tolist():
        images, wrong = int(table[number].sum()), table[number].copy()
        wrong[number] = 0
        other = int(wrong.argmax())
        taken_for = names[other] if wrong[other] else ''
        share = float(wrong[other] / images)
        found.append(ClassNumbers(names[number], images, float(table[number, number] / images), taken_for, share))
    return sorted(found, key=lambda each: (each.top1, each.name))
