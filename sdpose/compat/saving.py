"""Checkpoints and other files that survive a kill at any moment, and a full disk."""

import logging
import os
import re
import sys
from collections.abc import Callable
from functools import partial, wraps
from operator import itemgetter
from pathlib import Path
from typing import Any

import mmengine.hooks.checkpoint_hook as checkpoint_hook
import mmengine.runner.checkpoint as mmengine_checkpoint
from mmengine.config import Config
from mmengine.fileio import LocalBackend
from mmengine.logging import MMLogger, print_log

from sdpose.errors import UserError
from sdpose.io.atomic import atomic_write

from .rebind import rebind

_MARK = '_sdpose_compat'
_MARKER = 'last_checkpoint'
_LONGEST_PATH = 4096


def save_atomically() -> None:
    """Write checkpoints, the marker that names the last one, results and raw predictions to a temporary file, which is
    then renamed.

    Seen: MMEngine 0.10.7 writes them in place, so that a kill or a full disk leaves a torn file under its final name,
    or a marker that is empty. Remote storage is left to its own backend.
    """
    if hasattr(LocalBackend, _MARK):
        return
    LocalBackend.put = _put
    LocalBackend.put_text = _put_text
    setattr(LocalBackend, _MARK, True)
    # The hook writes its marker with the built-in open, the only use of open in that module.
    checkpoint_hook.open = atomic_write


def _put(self: LocalBackend, obj: bytes, filepath: Any) -> None:
    """Write bytes so that the file is complete or absent."""
    with atomic_write(filepath) as file:
        file.write(obj)


def _put_text(self: LocalBackend, obj: str, filepath: Any, encoding: str = 'utf-8') -> None:
    """Write text so that the file is complete or absent."""
    with atomic_write(filepath, 'w', encoding) as file:
        file.write(obj)


def end_without_log() -> None:
    """Let a log file that cannot be written, as on a full disk, end the run by its own error.

    Seen: Python's logging prints a traceback for every line instead, and goes on.
    """
    if hasattr(MMLogger, _MARK):
        return
    original = MMLogger.__init__

    @wraps(original)
    def init(self: MMLogger, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        for handler in self.handlers:
            if isinstance(handler, logging.FileHandler):
                handler.handleError = partial(_raise, handler)  # type: ignore[method-assign]  # of this one

    MMLogger.__init__ = init
    setattr(MMLogger, _MARK, True)


def _raise(handler: logging.FileHandler, record: logging.LogRecord) -> None:
    error = sys.exc_info()[1]
    if isinstance(error, OSError):
        error.filename = handler.baseFilename
        raise error
    logging.Handler.handleError(handler, record)


def keep_until_saved() -> None:
    """Remove an old checkpoint only after its successor and the marker are on disk.

    Seen: MMEngine 0.10.7 removes the previous best checkpoint, and with ``max_keep_ckpts=1`` the only one,
    before it writes the new one; a kill in between loses the run. Now it leaves one file too many instead.
    """
    hook = checkpoint_hook.CheckpointHook
    if hasattr(hook, _MARK):
        return
    for name in ('_save_checkpoint_with_step', '_save_best_checkpoint'):
        setattr(hook, name, _removing_last(getattr(hook, name)))
    setattr(hook, _MARK, True)


def _removing_last(save: Callable) -> Callable:

    @wraps(save)
    def save_then_remove(self: Any, *args: Any, **kwargs: Any) -> Any:
        backend = self.file_backend
        if type(backend) is not LocalBackend:
            return save(self, *args, **kwargs)
        self.file_backend = _DeferringBackend()
        try:
            result = save(self, *args, **kwargs)
        finally:
            deferred, self.file_backend = self.file_backend, backend
        deferred.remove_deferred()
        return result

    return save_then_remove


class _DeferringBackend(LocalBackend):
    """Local files whose removal waits until the new checkpoint is written."""

    def __init__(self) -> None:
        super().__init__()
        self.deferred: list[tuple[str, int]] = []

    def remove(self, filepath: Any) -> None:
        self.deferred.append((str(filepath), os.stat(filepath).st_ino))

    def remove_deferred(self) -> None:
        """Remove what was asked to be removed, unless the new checkpoint took its name."""
        for path, inode in self.deferred:
            if os.path.isfile(path) and os.stat(path).st_ino == inode:
                os.remove(path)


def resume_from_complete() -> None:
    """Let automatic resuming find the newest complete checkpoint even when the marker cannot be followed.

    Seen: MMEngine 0.10.7 returns whatever text the marker holds: nothing, when it was torn by another program
    or a full disk; a path that no longer exists, when the work folder was moved.
    """
    if mmengine_checkpoint.find_latest_checkpoint is not find_latest_checkpoint:
        rebind(mmengine_checkpoint.find_latest_checkpoint, find_latest_checkpoint)


def find_latest_checkpoint(path: str) -> str | None:
    """The newest sound checkpoint of a work folder.

    Args:
        path: The work folder.

    Returns:
        The file of the folder that its ``last_checkpoint`` names, if it is sound; otherwise the newest sound
        ``epoch_N.pth``, ``iter_N.pth`` or ``stopped_iter_N.pth`` there; otherwise the same of the folder that the
        marker names (checkpoints may lie elsewhere); None if there is none.
    """
    folder, named = Path(path), _named_by_marker(Path(path) / _MARKER)
    for place in (folder, named.parent) if named else (folder,):
        if named and (file := place / named.name).is_file() and _steps_of(file) is not None:
            return str(file)
        if named and place == folder:
            print_log(
                f'{folder / _MARKER} names no sound checkpoint of the folder ({named}); looking for the newest one',
                'current',
                logging.WARNING,
            )
        if newest := _newest_of(place):
            return str(newest)
    print_log(f'No complete checkpoint to resume from in {path}', 'current')
    return None


def _named_by_marker(marker: Path) -> Path | None:
    """The checkpoint that a marker names; None if it cannot be one."""
    if not marker.is_file():
        return None
    text = marker.read_text(errors='replace').strip()
    return Path(text) if text.endswith('.pth') and '\0' not in text and len(text) < _LONGEST_PATH else None


def _newest_of(folder: Path) -> Path | None:
    """The sound checkpoint of a folder that has seen most steps."""
    found = []
    for kind in ('epoch', 'iter', 'stopped_iter'):
        numbered = {
            int(match[1]): file
            for file in folder.glob(f'{kind}_*.pth')
            if (match := re.fullmatch(rf'{kind}_(\d+)\.pth', file.name)) and file.is_file()
        }
        steps = ((_steps_of(numbered[number]), numbered[number]) for number in sorted(numbered, reverse=True))
        found += [next((item for item in steps if item[0] is not None), (-1, None))]
    return max(found, key=itemgetter(0))[1]


def _steps_of(file: Path) -> int | None:
    """How many steps a checkpoint has seen; None, which is said, if it is damaged."""
    try:
        checkpoint = mmengine_checkpoint.CheckpointLoader.load_checkpoint(str(file), 'cpu', logger='silent')
    except (UserError, OSError) as error:
        print_log(f'passed over: {error}', 'current', logging.WARNING)
        return None
    return checkpoint.get('meta', {}).get('iter', 0)


def dump_config_atomically() -> None:
    """Write the config that MMEngine leaves in a work folder like every other file: whole, and not through a link.

    Seen: MMEngine 0.10.7 writes through a link of that name, which may lead to the very config that is trained. One
    that lies in its own work folder stays as its author wrote it.
    """
    if hasattr(Config.dump, _MARK):
        return
    original = Config.dump

    @wraps(original)
    def dump(self: Config, file: Any = None) -> str | None:
        if file is None or not str(file).endswith('.py'):
            return original(self, file)
        own = self.filename and os.path.isfile(file) and os.path.samefile(file, self.filename)
        if own and not os.path.islink(file):
            return None
        with atomic_write(file, 'w') as stream:
            stream.write(self.pretty_text)
        return None

    setattr(dump, _MARK, True)
    Config.dump = dump
