"""One evaluation, computed again with something of it changed."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sdpose.evaluation.coco.matching import Candidates, matches
from sdpose.evaluation.coco.numbers import Curves, curves_of
from sdpose.evaluation.coco.truth import Truth


@dataclass(frozen=True)
class Evaluation:
    """Predicted and annotated people of one category, and what an evaluation reads beside them.

    Attributes:
        candidates: The predicted people that count.
        truth: The annotated people.
        areas: (G,), theirs in square pixels.
        ignored: (G,), whom it is no mistake to miss.
        sigmas: (K,), of the joints.
    """

    candidates: Candidates
    truth: Truth
    areas: np.ndarray
    ignored: np.ndarray
    sigmas: np.ndarray

    @cached_property
    def matched(self) -> tuple[np.ndarray, np.ndarray]:
        """Who is matched, and with somebody who does not count: two masks (N, 1, T)."""
        return matches(self.candidates, self.truth, self.areas, self.ignored[:, None], self.sigmas)

    def curves(self, images: np.ndarray | None = None, outside: np.ndarray | None = None) -> Curves:
        """Precision and recall over all sizes of people.

        Args:
            images: (I,), mask of those that count; None for all.
            outside: (N,), predicted people who are no mistake where nobody matches them; None for nobody.
        """
        outside = np.zeros(len(self.candidates.rank), bool) if outside is None else outside
        return curves_of(self.candidates, self.truth, self.ignored[:, None], *self.matched, outside[:, None], images)

    @property
    def ap(self) -> float:
        """The mean precision over recalls and thresholds; -1 if nobody counts."""
        return self.curves().mean('AP')

    def of(self, people: np.ndarray) -> 'Evaluation':
        """The evaluation in which only some of the annotated people (G,) count."""
        return self.changed(ignored=self.ignored | ~people)

    def of_joint(self, joint: int) -> 'Evaluation':
        """The evaluation of one joint: as if no other were labelled."""
        labelled = np.zeros_like(self.truth.labelled)
        labelled[:, joint] = self.truth.labelled[:, joint]
        return self.changed(truth=self.truth._replace(labelled=labelled), ignored=self.ignored | ~labelled.any(axis=1))

    def changed(self, **fields: Any) -> 'Evaluation':
        """The evaluation with other fields."""
        return replace(self, **fields)
