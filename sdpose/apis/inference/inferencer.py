"""Poses of people in anything that shows them, by one object."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sdpose.apis.exported import is_exported
from sdpose.errors import UserError
from sdpose.io.model_store import find_weights
from sdpose.models.halting import Halting
from sdpose.visualization import draw_people, write_label

from .boxes import Boxes, boxes_of_file, detected_boxes, given_boxes, whole_pictures
from .crop_model import CropModel, load_checkpoint, load_exported
from .detectors import build_detector
from .results import PoseResult
from .sources import Source, open_source
from .stream import PoseStream
from .tracking import Tracker

Detector = str | Callable[[np.ndarray], Any]


class PoseInferencer:
    """Finds the joints of people in pictures, folders, videos, the frames of a camera or of an iterator.

        inferencer = PoseInferencer('sdpose-s-v1_stemnet_8xb64-300e_coco-256x192', 'best.pth')
        for result in inferencer('photos/*.jpg', boxes='detections.json'):
            print(result.name, result.keypoints.shape)

    The model runs in its deployed form (:func:`sdpose.optimize_for_inference`, or an exported file), on the people of
    several pictures at once, while the next pictures are decoded; the key points are those of ``tools/test.py``.

    Args:
        config: A config, a file or the name of one of the package's. It may be left out where ``weights`` bring it:
            an exported file, or a checkpoint that was trained or published by this project or by MMPose 1.x.
        weights: A checkpoint, or an exported ``.onnx`` or ``.xml`` file, or its folder; or a folder with the config's
            published checkpoint ``<config>-<hash>.pth``, by default the one that ``SDPOSE_HOME`` names.
        device: Where a checkpoint's model runs, such as ``'cuda:0'``.
        detector: What finds people where no boxes are given: a name, see :func:`build_detector`, or a callable that
            takes a picture (H, W, 3) of 8 bits in the order blue, green, red and returns (N, 4) boxes left, top, right,
            bottom, or (N, 5) with scores. Without one, each picture as a whole is the box of one person.
        flip_test: Whether mirror images are averaged; by default as the config's ``test_cfg``, or the file, says.
        batch_size: How many people the model gets at once; by default 8 on a processor, whose caches hold no more (32
            take up to a quarter longer), else 32.
        box_score: Boxes of a detector, or of a detection file, with a lower score are left out.
        cfg_options: Overrides of the config.
        halt: The threshold of :class:`sdpose.models.halting.Halting`: everybody has the first cycle, and a further one,
            of those that the model was trained with, or that were exported with it, as long as the mean score of the
            joints is below. None runs the deployed cycle for everybody.
        halt_by: The rule, ``'peaks'`` or, of a checkpoint, ``'motion'``.

    Attributes:
        model: What finds the joints; ``model.joints`` are their names.

    Raises:
        UserError: If files are missing or do not fit each other, or an argument is out of its range.
    """

    def __init__(
        self,
        config: str | None = None,
        weights: str | None = None,
        device: str = 'cpu',
        detector: Detector | None = None,
        flip_test: bool | None = None,
        batch_size: int | None = None,
        box_score: float = 0.3,
        cfg_options: dict[str, Any] | None = None,
        halt: float | None = None,
        halt_by: str = 'peaks',
    ) -> None:
        if batch_size is None:
            batch_size = 8 if device == 'cpu' else 32
        if batch_size < 1:
            raise UserError(f'batch_size={batch_size}: give at least 1 person')
        if not np.isfinite(box_score):  # no score is above it, or all are
            raise UserError(f'box_score={box_score}: give a number, such as 0.3')
        if halt is None and halt_by != 'peaks':
            raise UserError(f'halt_by={halt_by!r} says what the threshold halt is compared with: give halt, too')
        if weights is None or Path(weights).expanduser().is_dir() and not is_exported(weights):
            weights = _find_weights(config, weights)
        self.config, self.weights, self.cfg_options = config, weights, cfg_options
        self.batch_size, self.box_score = batch_size, box_score
        self.halting = None if halt is None else Halting((halt,), halt_by)
        self.model: CropModel = (
            load_exported(weights, config, flip_test, cfg_options, self.halting)
            if is_exported(weights)
            else load_checkpoint(weights, config, flip_test, device, cfg_options, self.halting)
        )
        self.detector = build_detector(detector, device) if isinstance(detector, str) else detector
        named = isinstance(detector, str) or detector is None
        self.detector_name = detector if named else getattr(detector, '__qualname__', type(detector).__name__)

    def __call__(self, inputs: Any, boxes: Any = None, detect_every: int = 1, track: bool = False) -> list[PoseResult]:
        """The people in all inputs, a result for each picture or frame; arguments as of :meth:`stream`."""
        results = self.stream(inputs, boxes, detect_every, track)
        return [replace(result, image=None) for result in results]

    def stream(
        self,
        inputs: Any,
        boxes: Any = None,
        detect_every: int = 1,
        track: bool = False,
        done: Mapping[int, PoseResult] | None = None,
        skip_done: bool = False,
    ) -> Iterator[PoseResult]:
        """The people in one picture or frame after another, with its pixels, as soon as they are known.

        Args:
            inputs: See :func:`sdpose.apis.inference.sources.open_source`; or what that returned.
            boxes: (N, 4) left, top, right, bottom in pixels, for every picture; a list of such arrays, one for each;
                or a COCO-style file. None takes the detector's.
            detect_every: Run the detector on every so-manieth frame only; between, people are where their joints were.
                Frames depend on each other then, so that a batch holds the people of one.
            track: Number people over the frames, by the overlap of their boxes. So does ``detect_every``.
            done: Results that are known, by number; they are passed through.
            skip_done: Whether pictures of which the result is known are not even decoded.

        Raises:
            UserError: If something cannot be read, or a box holds nothing of its picture; results of what came before
                have been yielded.
        """
        if detect_every < 1:
            raise UserError(f'detect_every={detect_every}: give a number of frames from 1')
        if detect_every > 1 and (self.detector is None or boxes is not None):
            raise UserError(f'detect_every={detect_every} is for a detector, and boxes come from elsewhere')
        source = inputs if isinstance(inputs, Source) else open_source(inputs)
        tracker = Tracker() if track or detect_every > 1 else None
        find = self.boxes_of(source, boxes)
        run = PoseStream(self.model, self.batch_size, source, find, detect_every, tracker, done or {}, skip_done)
        return iter(run)

    def boxes_of(self, source: Source, boxes: Any) -> Boxes:
        """Where the boxes of a source come from; ``boxes`` as of :meth:`stream`."""
        if isinstance(boxes, (str, Path)):
            return boxes_of_file(boxes, source, self.box_score)
        if boxes is not None:
            return given_boxes(boxes, source)
        return whole_pictures() if self.detector is None else detected_boxes(self.detector, self.box_score)

    def draw(self, result: PoseResult, image: np.ndarray | None = None, least: float = 0.3) -> np.ndarray:
        """The picture of a result with its people's skeletons, and their numbers where they were tracked.

        Args:
            result: The result.
            image: Its picture; None takes the one that a streamed result holds.
            least: Joints with a lower score are left out.

        Raises:
            ValueError: If there is no picture.
        """
        image = result.image if image is None else image
        if image is None:
            raise ValueError(f'the result of {result.name} holds no picture: pass it as image')
        people = result.people()
        overlay = draw_people(image, [*people], self.model.skeleton, least, flags=False)
        for person, track in zip(people, () if result.track_ids is None else result.track_ids):
            write_label(overlay, person, f'#{track}', least)
        return overlay


def _find_weights(config: str | None, folder: str | None) -> str:
    """The published checkpoint of a config in a folder, by default the local store."""
    if config is None:
        given = 'weights are missing' if folder is None else f'weights {folder} is a folder'
        raise UserError(
            f'{given}: name a checkpoint (.pth), an exported file (.onnx, .xml), or the config whose published '
            'checkpoint is to be found'
        )
    return str(find_weights(config, folder))
