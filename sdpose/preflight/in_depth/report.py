"""What is known of data sets after the check in depth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..people import People
from .finding import ERROR, Finding
from .pictures import Picture


@dataclass
class SetReport:
    """One data set of a split.

    Attributes:
        name: The splits that read it: ``'train'``, ``'val, test'``.
        kind: The class of the data set.
        file: Its annotation file, or folder of classes.
        folder: Where its images lie.
        form: ``'coco'`` for an annotation file of that form, ``'mpii'``, ``'classes'`` or ``'other'``.
        findings: What is wrong or odd.
        numbers: Counts and distributions, see :mod:`.numbers`.
        metainfo: Of its joints, or its ``classes``.
        people: Those that were read; None if none were.
        flags: (N, K) their visibility as the file has it.
        paths: The file of each of ``people.pictures``.
        pictures: What was seen of each picture, by path.
        turns: Whether a run turns pictures as their EXIF data ask for.
    """

    name: str
    kind: str
    file: str
    folder: str
    form: str = 'other'
    findings: list[Finding] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    metainfo: dict[str, Any] = field(default_factory=dict)
    people: People | None = None
    flags: Any = None
    paths: dict[int, str] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    turns: bool = True


@dataclass
class Inspection:
    """All data sets of the splits that were asked for, and what is wrong between them."""

    sets: Sequence[SetReport]
    between: Sequence[Finding]

    @property
    def findings(self) -> list[Finding]:
        """All of them."""
        return [*(each for report in self.sets for each in report.findings), *self.between]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(each.level == ERROR for each in self.findings)
