"""What a run writes: overlays as pictures or as a video while it goes on, JSON and arrays at its end."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sdpose.errors import UserError
from sdpose.io.atomic import atomic_write
from sdpose.io.pictures import write_picture

from .results import PoseResult, arrays, coco_results
from .sources import Source

FORMS = ('images', 'video', 'json', 'coco', 'npz')
_LOSSY = ('.jpg', '.jpeg', '.jpe')
_CODECS = {'.mp4': 'mp4v', '.avi': 'MJPG'}
# In a process of its own: OpenCV and what is below it write to the terminal.
_TRY = """
import sys, cv2, numpy as np
writer = cv2.VideoWriter(sys.argv[1], cv2.VideoWriter_fourcc(*sys.argv[2]), 25, (64, 64))
opened = writer.isOpened()
for number in range(3):
    writer.write(np.full((64, 64, 3), number, np.uint8))
writer.release()
sys.exit(not opened or not cv2.VideoCapture(sys.argv[1]).read()[0])
"""


class Outputs:
    """The files of one run, below a folder.

    ==================================  ===========================================================================
    ``images``                          ``visualizations/NAME.jpg`` (or ``.png``) of every picture or frame
    ``video``                           ``NAME.mp4``
    ``json``                            ``predictions/NAME.json``, as MMPose's inferencers write them: of a picture
                                        its people, of a video a list of ``frame_id`` and ``instances``
    ``coco``                            ``results.json``, as pycocotools reads it
    ``npz``                             ``poses.npz``, see :func:`sdpose.apis.inference.results.arrays`
    ==================================  ===========================================================================

    Args:
        folder: Where they go.
        source: What is read.
        forms: Which of ``FORMS``.
        fps: Frames per second of the video; by default those of the source, or 25.
        codec: The four characters of a video codec, such as ``mp4v`` or ``MJPG``; by default what fits ``video``.
        video: The ending of the video, ``'.mp4'`` or ``'.avi'``.

    Raises:
        UserError: If a form is unknown, or this OpenCV cannot write the video.
    """

    def __init__(
        self,
        folder: Path,
        source: Source,
        forms: Sequence[str],
        fps: float | None = None,
        codec: str | None = None,
        video: str = '.mp4',
    ) -> None:
        for form in forms:
            if form not in FORMS:
                raise UserError(f'{form!r} is nothing that can be written: choose of {", ".join(FORMS)}')
        self.folder, self.source, self.forms = folder, source, forms
        self._stems = _stems(source.files if source.kind == 'pictures' else ())
        self._video = None
        if 'video' in forms:
            name = Path(source.name).stem if source.kind in ('video', 'live') else 'video'
            self._video = OverlayVideo(folder / f'{name}{video}', fps or source.fps or 25.0, codec)

    @property
    def draws(self) -> bool:
        """Whether overlays are written."""
        return 'images' in self.forms or 'video' in self.forms

    def _stem(self, result: PoseResult) -> Path:
        """What a result is called below the folders, without an ending."""
        return self._stems.get(result.name, Path(result.name))

    def overlay_of(self, result: PoseResult) -> Path:
        """The picture that is drawn of a result."""
        form = '.png' if self.source.kind == 'pictures' and not result.name.lower().endswith(_LOSSY) else '.jpg'
        stem = self._stem(result)
        return self.folder / 'visualizations' / stem.with_name(stem.name + form)

    def add(self, result: PoseResult, overlay: np.ndarray | None) -> None:
        """Write the overlay of a result."""
        if overlay is None:
            return
        if 'images' in self.forms:
            write_picture(self.overlay_of(result), overlay)
        if self._video is not None:
            self._video.add(overlay, result.name)

    def finish(self, results: Sequence[PoseResult], joints: Sequence[str]) -> list[Path]:
        """Write what all results make.

        Returns:
            The files and folders that there are.
        """
        written = [self.folder / 'visualizations'] if 'images' in self.forms and results else []
        if self._video is not None:
            written += self._video.finish()
        if 'json' in self.forms:
            written.append(self._write_predictions(results))
        if 'coco' in self.forms:
            written.append(_write_json(self.folder / 'results.json', coco_results(results)))
        if 'npz' in self.forms:
            content = io.BytesIO()
            np.savez_compressed(content, **arrays(results, joints))  # type: ignore[arg-type]
            written.append(self.folder / 'poses.npz')
            with atomic_write(written[-1]) as file:
                file.write(content.getvalue())
        return written

    def abandon(self) -> None:
        """Remove a video that was not finished."""
        if self._video is not None:
            self._video.abandon()

    def _write_predictions(self, results: Sequence[PoseResult]) -> Path:
        folder = self.folder / 'predictions'
        if self.source.kind != 'pictures':
            frames = [dict(frame_id=result.index, instances=result.instances()) for result in results]
            return _write_json(folder / f'{Path(self.source.name).stem}.json', frames)
        for result in results:
            stem = self._stem(result)
            _write_json(folder / stem.with_name(f'{stem.name}.json'), result.instances())
        return folder


def _stems(files: Sequence[str]) -> dict[str, Path]:
    """What files are called below another folder: as below the one that they share, without their ending.

    Those that differ in the ending alone keep it.
    """
    if not files:
        return {}
    root = os.path.commonpath([os.path.dirname(os.path.abspath(file)) for file in files])
    below = {file: Path(os.path.relpath(os.path.abspath(file), root)) for file in files}
    times = Counter(path.with_suffix('') for path in {*below.values()})
    return {file: path if times[path.with_suffix('')] > 1 else path.with_suffix('') for file, path in below.items()}


class OverlayVideo:
    """A video that appears under its name once it is complete.

    Args:
        file: The video.
        fps: Frames per second.
        codec: Four characters; None for what fits the ending.

    Raises:
        UserError: If the codec is none, or this OpenCV cannot write it.
    """

    def __init__(self, file: Path, fps: float, codec: str | None) -> None:
        if file.suffix not in _CODECS:
            raise UserError(f'{file}: a video ends in {" or ".join(_CODECS)}')
        self.file, self.fps, self.codec = file, fps, codec or _CODECS[file.suffix]
        if not np.isfinite(fps) or fps <= 0:
            raise UserError(f'fps={fps}: give frames per second, more than 0')
        require_codec(self.codec, file)
        self._partial = file.with_name(f'.{file.stem}.partial{file.suffix}')
        self._writer: Any = None
        self._size = (0, 0)

    def add(self, frame: np.ndarray, name: str) -> None:
        """Append a frame (H, W, 3).

        Raises:
            UserError: If it is of another size than the first one, or cannot be written.
        """
        size = frame.shape[1], frame.shape[0]
        if self._writer is None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            fourcc = cv2.VideoWriter.fourcc(*self.codec)
            self._writer, self._size = cv2.VideoWriter(str(self._partial), fourcc, self.fps, size), size
            if not self._writer.isOpened():
                raise UserError(f'{self.file} cannot be written with {size[0]} x {size[1]} pixels in {self.codec}')
        if size != self._size:
            raise UserError(
                f'{name} has {size[0]} x {size[1]} pixels, the frames before {self._size[0]} x {self._size[1]}: '
                'pictures of several sizes make no video, write them as images'
            )
        self._writer.write(frame)

    def finish(self) -> list[Path]:
        """Complete the file; without a frame there is none.

        Raises:
            UserError: If it cannot be read back, as on a full disk, of which OpenCV says nothing.
        """
        if self._writer is None:
            return []
        self._writer.release()
        if not cv2.VideoCapture(str(self._partial)).read()[0]:
            self.abandon()
            raise UserError(f'{self.file} could not be written: is the disk full?')
        os.replace(self._partial, self.file)
        return [self.file]

    def abandon(self) -> None:
        """Remove what there is of it."""
        if self._writer is not None:
            self._writer.release()
        self._partial.unlink(missing_ok=True)


def require_codec(codec: str, file: Path) -> None:
    """Write a video of three small frames.

    Raises:
        UserError: If this OpenCV cannot.
    """
    if len(codec) != 4 or not codec.isascii():
        raise UserError(f'codec {codec!r}: give its four characters, such as mp4v or MJPG')
    folder = tempfile.mkdtemp()
    try:
        tried = subprocess.run(
            [sys.executable, '-c', _TRY, os.path.join(folder, f'try{file.suffix}'), codec], capture_output=True
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if tried.returncode:
        raise UserError(
            f'{file} cannot be written: this OpenCV ({cv2.__version__}) cannot write the codec {codec} into '
            f'{file.suffix}; {" or ".join(f"{name} into {ending}" for ending, name in _CODECS.items())} works in most'
        )


def _write_json(file: Path, content: Any) -> Path:
    with atomic_write(file, 'w') as stream:
        json.dump(content, stream)
    return file
