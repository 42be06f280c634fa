"""What an annotation style decides."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdpose.synthetic.people.annotate import Annotation
from sdpose.synthetic.people.skeleton import JOINTS
from sdpose.visualization import sides_of

Entry = dict[str, Any]
Described = tuple[Entry, list[Entry]]
"""The entry of a picture, with ``id`` and ``file_name``, and those of its people."""


@dataclass(frozen=True)
class Picture:
    """A stored picture: its id, its file name, and its (width, height)."""

    id: int
    file_name: str
    size: tuple[int, int]


class Style(ABC):
    """Joints, files and formats of one kind of data set; all are stateless.

    Attributes:
        joints: Indices of the style's joints among ``skeleton.JOINTS``, in the style's order.
        limbs: Pairs of indices into ``joints``.
        level: Level that is drawn where none is asked for.
        folders: Per split, the folder of its pictures; splits may share one.
        files: Per split, its annotation files; the first holds the annotations.
    """

    joints: tuple[int, ...]
    limbs: tuple[tuple[int, int], ...]
    level: str = 'normal'
    folders: dict[str, str] = dict(train='train', val='val')
    files: dict[str, tuple[str, ...]] = dict(train=('annotations/train.json',), val=('annotations/val.json',))

    @property
    def sides(self) -> tuple[str, ...]:
        """Per joint: left, right or middle."""
        return sides_of([JOINTS[joint] for joint in self.joints])

    @abstractmethod
    def describe(self, picture: Picture, people: Sequence[Annotation]) -> Described:
        """The entries of one picture; whatever needs all pictures is added by ``write``."""

    @abstractmethod
    def write(self, folder: Path, split: str, info: Entry, described: Sequence[Described]) -> None:
        """Write a split's files.

        Args:
            folder: The set's folder.
            split: ``'train'`` or ``'val'``.
            info: Description, version, seed and level of the set.
            described: What ``describe`` returned for every picture, ordered by id.
        """

    @abstractmethod
    def drawable(self, person: Entry) -> list[float]:
        """A person's x, y (from 0) and flag of each joint, one after the other."""
