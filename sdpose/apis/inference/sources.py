"""What inference reads, whatever it was given: pictures, frames of a video or of a camera, each with a name."""

import glob
import logging
import mimetypes
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.logging import print_log
from PIL import Image

from sdpose.errors import DataError
from sdpose.io.pictures import is_cut_off, read_picture, refuse_special
from sdpose.io.single_picture import three_channels

_READERS = 2  # threads that decode pictures
_WEBCAM = 'webcam'
_PICTURES = tuple('.avif .bmp .dib .gif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .ppm .ras .sr .tif .tiff .webp'.split())

Load = Callable[[], np.ndarray | None]


class _BadFrameError(DataError):
    """A frame that cannot be read, while one behind it can."""


def _warn(error: DataError) -> None:
    print_log(f'{error}: it is passed over', 'current', logging.WARNING)


@dataclass(frozen=True)
class Source:
    """Pictures or frames in order.

    Attributes:
        kind: ``'pictures'``, each a file or an array of its own; ``'video'``, a file of frames; ``'live'``, a camera,
            whose frames are answered at once; ``'frames'``, whatever an iterator gives.
        name: What it is called in messages and files.
        items: The name of each picture or frame, and what reads it: (H, W, 3), blue, green, red; None at the end.
        total: How many there are, None where nobody knows.
        fps: Frames per second of a video.
        files: The files that are read, for knowing them again.
        close: Frees the file or the camera.
    """

    kind: str
    name: str
    items: Callable[[], Iterable[tuple[str, Load]]]
    total: int | None = None
    fps: float | None = None
    files: tuple[str, ...] = ()
    close: Callable[[], None] = lambda: None

    def read(
        self, wanted: Callable[[int], bool] = lambda number: True, pass_over: Callable[[DataError], None] | None = None
    ) -> Iterator[tuple[int, str, np.ndarray | None]]:
        """Number, name and pixels of everything; the next ones are decoded while the caller works.

        Args:
            wanted: Whether the pixels of a number are needed; where they are not, a picture is not decoded, and comes
                as None.
            pass_over: Told of each picture that cannot be read, which is then left out; None to end with it. A frame of
                a video is left out anyway, with a warning.

        Raises:
            DataError: If something cannot be read; the message names it.
        """
        one_by_one = self.kind != 'pictures'
        with ThreadPoolExecutor(1 if one_by_one else _READERS) as pool:
            ahead: deque[tuple[int, str, Any]] = deque()
            items, depth = enumerate(self.items()), 2 if self.kind == 'live' else 2 * _READERS
            try:
                while True:
                    while len(ahead) < depth and (item := next(items, None)) is not None:
                        number, (name, load) = item
                        ahead.append((number, name, pool.submit(load) if one_by_one or wanted(number) else None))
                    if not ahead:
                        return
                    number, name, future = ahead.popleft()
                    try:
                        image = None if future is None else future.result()
                    except DataError as error:
                        if not isinstance(error, _BadFrameError) and (pass_over is None or one_by_one):
                            raise
                        (pass_over or _warn)(error)
                        continue
                    if image is None and future is not None:
                        return
                    yield number, name, image
            finally:
                pool.shutdown(cancel_futures=True)
                self.close()


def open_source(inputs: Any) -> Source:
    """What inputs mean.

    Args:
        inputs: The path of a picture or a video, a folder of pictures, a pattern such as ``photos/*.jpg``, an array
            (H, W), (H, W, 3) in the order blue, green, red or (T, H, W, 3), a picture of Pillow's, a list of these, the
            number of a camera or ``'webcam:0'``, or an iterator of frames.

    Raises:
        DataError: If there is nothing that can be read; the message names it.
    """
    if isinstance(inputs, int) and not isinstance(inputs, bool):
        return _camera(inputs)
    if isinstance(inputs, (str, os.PathLike)):
        return _named(os.fspath(inputs))
    if isinstance(inputs, np.ndarray) and inputs.ndim == 4:
        return _frames(iter(inputs), len(inputs))
    if isinstance(inputs, (np.ndarray, Image.Image)):
        return _pictures('image', [inputs])
    if isinstance(inputs, (list, tuple)):
        if len(inputs) == 1 and isinstance(inputs[0], (str, os.PathLike)):
            return _named(os.fspath(inputs[0]))
        pictures = [each for item in inputs for each in _expanded(item)]
        if not pictures:
            raise DataError('the list of inputs is empty: name pictures, or a folder or a video')
        return _pictures('images', pictures)
    if isinstance(inputs, Iterable):
        return _frames(iter(inputs), None)
    raise DataError(
        f'inputs of {type(inputs).__name__} cannot be read: give a path, a pattern, a folder, an array, a picture of '
        "Pillow's, a list of these, the number of a camera, or an iterator of frames"
    )


def pixels_of(picture: Any) -> np.ndarray:
    """A picture of any kind as (H, W, 3), blue, green, red.

    Raises:
        DataError: If it cannot be read, or is none.
    """
    if isinstance(picture, (str, os.PathLike)):
        name = os.fspath(picture)
        pixels = read_picture(name)
        if is_cut_off(name):
            print_log(f'{name} is cut off: what is missing of it is grey', 'current', logging.WARNING)
        return pixels
    if isinstance(picture, Image.Image):
        return np.ascontiguousarray(np.asarray(picture.convert('RGB'))[..., ::-1])
    return three_channels(picture)


def _named(name: str) -> Source:
    """The source that a path, a pattern or the name of a camera means."""
    kind, _, number = name.partition(':')
    if not os.path.exists(name) and kind.lower() == _WEBCAM and (not number or number.isdigit()):
        return _camera(int(number or 0))
    if not os.path.exists(name) and name.isascii() and name.isdigit():
        return _camera(int(name))
    if os.path.isfile(name) and is_video(name):
        return _video(name)
    files = _expanded(name)
    if len(files) == 1 and is_video(files[0]):
        return _video(files[0])
    return _pictures(name, files)


def is_video(name: Any) -> bool:
    """Whether a file is a video, by its ending."""
    return (mimetypes.guess_type(str(name))[0] or '').startswith('video/')


def _expanded(item: Any) -> list[Any]:
    """The pictures that one input means.

    Raises:
        DataError: If there are none.
    """
    if not isinstance(item, (str, os.PathLike)):
        return [item]
    name = os.fspath(item)
    if '://' in name:
        raise DataError(f'{name} is an address: fetch the file first, and name it')
    if os.path.isdir(name):
        found = sorted(str(file) for file in Path(name).iterdir() if file.suffix.lower() in _PICTURES)
        if not found:
            raise DataError(f'the folder {name} holds no pictures (*.jpg, *.png, ...): name another one, or a pattern')
        return found
    if os.path.exists(name):
        refuse_special(name)
        return [name]
    if not name:
        raise DataError('the name of an input is empty: name a picture, a video, a folder or a pattern, or webcam:0')
    if not glob.has_magic(name):
        raise DataError(f'{name} does not exist: name a picture, a video, a folder or a pattern, or webcam:0')
    found = sorted(file for file in glob.glob(name, recursive=True) if os.path.isfile(file))
    if not found:
        raise DataError(f'no file fits the pattern {name}')
    return found


def _pictures(name: str, pictures: list[Any]) -> Source:
    names = [os.fspath(each) if isinstance(each, (str, os.PathLike)) else f'{i:06d}' for i, each in enumerate(pictures)]
    files = tuple(name for name, each in zip(names, pictures) if isinstance(each, (str, os.PathLike)))
    items = [(name, partial(pixels_of, each)) for name, each in zip(names, pictures)]
    return Source('pictures', name, lambda: items, len(items), files=files)


def _frames(frames: Iterator[Any], total: int | None) -> Source:

    def load() -> np.ndarray | None:
        frame = next(frames, None)
        return None if frame is None else pixels_of(frame)

    return Source('frames', 'frames', lambda: ((f'{number:06d}', load) for number in count()), total)


def _video(name: str) -> Source:
    capture = cv2.VideoCapture(name)
    if not capture.isOpened():
        raise DataError(f'video {name} cannot be read: it is damaged, empty, or of a codec that this OpenCV lacks')
    total, fps = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    count_said = int(total) if total >= 1 else None  # some containers do not say
    return Source(
        'video',
        name,
        partial(_captured, capture, name, count_said),
        count_said,
        fps if np.isfinite(fps) and fps > 0 else None,
        (name,),
        capture.release,
    )


def _camera(number: int) -> Source:
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise DataError(f'camera {number} cannot be opened: plug it in, give its number, or name a file')
    fps = capture.get(cv2.CAP_PROP_FPS)
    return Source(
        'live',
        f'{_WEBCAM}{number}',
        partial(_captured, capture, None),
        fps=fps if np.isfinite(fps) and fps > 0 else None,
        close=capture.release,
    )


def _captured(capture: Any, video: str | None, total: int | None = None) -> Iterator[tuple[str, Load]]:
    """The frames of a capture; those of a video file must begin, and go on behind one that cannot be read."""
    ahead: deque[np.ndarray | None] = deque()  # read while a frame was looked for behind a bad one; None is another one

    def load(number: int) -> np.ndarray | None:
        if not ahead:
            ahead.append(capture.read()[1])
            while ahead[-1] is None and number + len(ahead) < (total or 0):
                ahead.append(capture.read()[1])
        frame = ahead.popleft()
        if frame is None and ahead and ahead[-1] is not None:
            # Its own number may be some more: decoders work ahead.
            raise _BadFrameError(f'a frame of {video}, near number {number}, cannot be read')
        if frame is None and not number and video is not None:
            raise DataError(f'video {video} has no frame that can be read: it is damaged, or was never finished')
        return frame

    return ((f'{number:06d}', partial(load, number)) for number in count())
