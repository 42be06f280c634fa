"""A whole run of inference: results and overlays in a folder or a window, progress, going on after a break."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.logging import print_log

from sdpose.apis.drawing import require_display
from sdpose.errors import UserError, first_few
from sdpose.io.folders import signals_unwind
from sdpose.io.lock import lock_work_dir
from sdpose.io.progress import show_progress
from sdpose.models.halting import say_done

from .inferencer import PoseInferencer
from .journal import Journal
from .outputs import Outputs
from .results import PoseResult
from .sources import Source, open_source

_QUIT = (27, ord('q'))  # Esc


@dataclass(frozen=True)
class RunOptions:
    """What is done with the results of a run.

    Attributes:
        forms: What is written, of :data:`sdpose.apis.inference.outputs.FORMS`; None for predictions in MMPose's format
            and overlays, as a video of a video.
        show: Show overlays in a window; Esc or q ends the run.
        wait: Seconds that a picture stays in the window, 0 until a key is pressed; frames of a video go on at once.
        least_score: Joints with a lower score are not drawn.
        fps: Frames per second of a written video; by default the source's, or 25.
        codec: Its codec, four characters.
        video: Its ending.
    """

    forms: Sequence[str] | None = None
    show: bool = False
    wait: float = 0.0
    least_score: float = 0.3
    fps: float | None = None
    codec: str | None = None
    video: str = '.mp4'

    def checked(self) -> 'RunOptions':
        """These options; refuses numbers that nothing can be shown or written with.

        Raises:
            UserError: Naming the option.
        """
        if self.fps is not None and not (np.isfinite(self.fps) and self.fps > 0):
            raise UserError(f'fps={self.fps}: give frames per second, more than 0')
        if not (np.isfinite(self.wait) and self.wait >= 0):
            raise UserError(f'wait={self.wait}: give seconds from 0, which waits for a key')
        if not np.isfinite(self.least_score):
            raise UserError(f'least_score={self.least_score}: give a number, such as 0.3')
        return self


def run(
    inferencer: PoseInferencer,
    inputs: Any,
    out: str | Path | None,
    boxes: Any = None,
    detect_every: int = 1,
    track: bool = False,
    options: RunOptions | None = None,
) -> list[PoseResult]:
    """Find the people in all inputs and write or show them.

    A run over files that was broken off goes on where it was, if it is started again with the same options.

    Args:
        inferencer: What finds them.
        inputs: As of :meth:`PoseInferencer.stream`.
        out: The folder that is written to; None writes nothing.
        boxes: As of :meth:`PoseInferencer.stream`.
        detect_every: As of :meth:`PoseInferencer.stream`.
        track: As of :meth:`PoseInferencer.stream`.
        options: What is done with the results.

    Returns:
        The results, without their pixels.

    Raises:
        UserError: If an option is wrong, or an input cannot be read; what was found before is kept for the next time.
    """
    options = (options or RunOptions()).checked()
    if out is None and (options.forms or not options.show):
        raise UserError('nothing would come of it: name a folder for the results (--out), or show them (--show)')
    if options.show:
        require_display('write pictures with --save-images')
    source = open_source(inputs)
    if out is None:
        return _consume(inferencer.stream(source, boxes, detect_every, track), _Sinks(inferencer, source, options))
    folder = Path(out)
    with signals_unwind(), lock_work_dir(folder, '--out'):
        outputs = Outputs(folder, source, _forms(options, source), options.fps, options.codec, options.video)
        request = _request(inferencer, boxes, detect_every, track)
        journal = Journal(folder, source, request, len(inferencer.model.joints))
        sinks = _Sinks(inferencer, source, options, outputs, journal)
        # A finished overlay of a known result needs no pixels, but a video is written whole.
        skip = not options.show and 'video' not in outputs.forms
        known = sinks.known(skip)
        if known:
            print_log(f'going on with a run that was broken off: {len(known)} of {source.total} were known', 'current')
        try:
            results = inferencer.stream(source, boxes, detect_every, track, known, skip)
            found = _consume(results, sinks)
            written = outputs.finish(found, inferencer.model.joints)
            complete = not sinks.closed
        except BaseException:
            outputs.abandon()
            complete = False
            raise
        finally:
            journal.finish(complete)
    print_log(f'written: {", ".join(map(str, written)) or "nothing, as there was no frame"}', 'current')
    return found


class _Sinks:
    """Where results go one by one: a record, overlays in files, a window."""

    def __init__(
        self,
        inferencer: PoseInferencer,
        source: Source,
        options: RunOptions,
        outputs: Outputs | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.inferencer, self.source, self.options = inferencer, source, options
        self.outputs, self.journal = outputs, journal
        self.draws = options.show or outputs is not None and outputs.draws
        self.closed = False  # by whoever looked at the window

    def known(self, skip: bool) -> dict[int, PoseResult]:
        """The results of the broken run, but for those whose overlay, if one is wanted, is not there."""
        done = self.journal.done if self.journal is not None else {}
        if self.outputs is None or not skip or 'images' not in self.outputs.forms:
            return done
        return {number: result for number, result in done.items() if self.outputs.overlay_of(result).is_file()}

    def add(self, result: PoseResult) -> None:
        """Take a result."""
        overlay = None
        if self.draws and result.image is not None:
            overlay = self.inferencer.draw(result, least=self.options.least_score)
        if self.outputs is not None:
            self.outputs.add(result, overlay)
        if self.journal is not None:
            self.journal.add(result)
        if overlay is not None and self.options.show:
            cv2.imshow('SDPose', overlay)
            wait = round(self.options.wait * 1000) if self.source.kind == 'pictures' else 1
            self.closed = cv2.waitKey(wait) in _QUIT


def _consume(results: Iterator[PoseResult], sinks: _Sinks) -> list[PoseResult]:
    """Hand every result on, and say how fast it goes and what was missing."""
    source, found = sinks.source, list[PoseResult]()
    what = 'pictures' if source.kind == 'pictures' else 'frames'
    begin, people = time.perf_counter(), 0
    with show_progress(what) as progress, _ended_by_interrupt(source.kind == 'live'):
        for result in results:
            sinks.add(result)
            found.append(replace(result, image=None))
            people += len(result)
            seconds = max(time.perf_counter() - begin, 1e-9)
            note = f'{len(found) / seconds:.1f} {what}/s, {people / seconds:.1f} people/s'
            progress(len(found), source.total, note)
            if sinks.closed:
                break
    if sinks.options.show:
        cv2.destroyAllWindows()
    _say_missing(source, found, what)
    if (done := sinks.inferencer.model.done_after) is not None:
        say_done(done.tolist())
    return found


@contextmanager
def _ended_by_interrupt(allowed: bool) -> Iterator[None]:
    """Ctrl-C ends a camera's run well."""
    try:
        yield
    except KeyboardInterrupt:
        if not allowed:
            raise


def _say_missing(source: Source, found: Sequence[PoseResult], what: str) -> None:
    """Warn of pictures without people, and of a video that ends early."""
    empty = [result.name for result in found if not len(result)]
    if empty:
        names = first_few(empty) if source.kind == 'pictures' else f'the first is {empty[0]}'
        print_log(f'no person in {len(empty)} of {len(found)} {what}: {names}', 'current', logging.WARNING)
    if source.kind == 'video' and source.total and len(found) < source.total:
        print_log(
            f'{source.name} should have {source.total} frames, {len(found)} were answered: it was stopped, or the rest '
            'is damaged',
            'current',
            logging.WARNING,
        )


def _forms(options: RunOptions, source: Source) -> Sequence[str]:
    if options.forms is not None:
        return options.forms
    return ('json', 'video' if source.kind in ('video', 'live') else 'images')


def _request(inferencer: PoseInferencer, boxes: Any, detect_every: int, track: bool) -> dict[str, Any]:
    """What decides about the results, as plain values."""
    if isinstance(boxes, Path):
        boxes = str(boxes)
    elif boxes is not None and not isinstance(boxes, str):
        boxes = [np.asarray(each).tolist() for each in boxes]
    file = Path(inferencer.weights)
    stat = file.stat()
    return dict(
        weights=[str(file), stat.st_size, stat.st_mtime_ns],
        config=inferencer.config,
        cfg_options=repr(inferencer.cfg_options),
        flip_test=inferencer.model.flip_test,
        boxes=boxes,
        detector=inferencer.detector_name,
        box_score=inferencer.box_score,
        detect_every=detect_every,
        track=track,
        **({} if inferencer.halting is None else dict(halting=repr(inferencer.halting))),
    )
