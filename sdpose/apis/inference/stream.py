"""The loop from pictures to people: boxes, batches of people from several pictures, tracking."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sdpose.errors import UserError

from .boxes import Boxes
from .crop_model import CropModel
from .results import PoseResult
from .sources import Source
from .tracking import Tracker


@dataclass
class PoseStream:
    """Results of all pictures of a source in order, each with its pixels.

    Attributes:
        model: What finds the joints.
        batch_size: How many people it gets at once.
        source: The pictures.
        find: The boxes of people in them.
        every: On every so-manieth frame boxes are looked for; on others, people are where their joints were.
        tracker: Numbers people; None for none, if ``every`` is 1.
        done: Results that are known, by number.
        skip_done: Whether pictures of known results are passed through without their pixels.
    """

    model: CropModel
    batch_size: int
    source: Source
    find: Boxes
    every: int
    tracker: Tracker | None
    done: Mapping[int, PoseResult]
    skip_done: bool

    def __iter__(self) -> Iterator[PoseResult]:
        at_once = self.source.kind == 'live' or self.every > 1
        waiting: list[PoseResult] = []
        pictures = self.source.read(lambda number: not (self.skip_done and number in self.done))
        fault = None
        while fault is None:
            try:
                waiting.append(self._look(*next(pictures)))
            except StopIteration:
                break
            except UserError as error:  # what came before is answered first
                fault = error
            if at_once or max(len(waiting), sum(len(each.boxes) for each in waiting)) >= self.batch_size:
                yield from self._predict(waiting)
                waiting = []
        yield from self._predict(waiting)
        if fault is not None:
            raise fault

    def _look(self, number: int, name: str, image: np.ndarray | None) -> PoseResult:
        """A result with boxes, and with joints where it is known."""
        if number in self.done:
            result = replace(self.done[number], image=image)
            if self.tracker is not None and result.track_ids is not None:
                self.tracker.keep(result.boxes, result.track_ids)
            return result
        assert image is not None
        ids = None
        if number % self.every == 0:
            boxes, scores = self.find(number, name, image)
            if self.tracker is not None:
                ids = self.tracker.number(boxes)
        else:
            assert self.tracker is not None
            boxes, ids = self.tracker.expected()
            scores = np.ones(len(boxes), np.float32)
        size = image.shape[1], image.shape[0]
        nothing = np.empty(0, np.float32)
        return PoseResult(name, number, size, boxes, scores, nothing, nothing, self.find.image_id(name), ids, image)

    def _predict(self, waiting: Sequence[PoseResult]) -> list[PoseResult]:
        """The results with the joints of all of them."""
        pending = [(each, each.image) for each in waiting if each.image is not None and each.index not in self.done]
        if pending:
            found = self.model.predict([(image, each.boxes) for each, image in pending], self.batch_size)
            for (result, _), values in zip(pending, found):
                for name, each in values.items():
                    setattr(result, name, each)
        if self.every > 1 and self.tracker is not None:
            for result in waiting:
                self.tracker.follow(result)
        return list(waiting)
