"""What every command-line tool does around its work: report user errors in one line, hide known noise."""

import argparse
import atexit
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from sdpose.config.values import parse_value
from sdpose.errors import NO_ROOM, Stopped, UserError
from sdpose.io.folders import remove_empty_folders

from . import last_words
from .log_filters import silence_warnings

# A file where a folder should be or the reverse, or one that belongs to somebody else.
_NO_PLACE = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)


def run(command: Callable[[], object], after_stop: str = '') -> int:
    """Run a tool's work and turn its outcome into an exit status.

    A mistake of the user, a full disk or a lost process of a distributed run is one line (or a table) that starts with
    ``error:`` on standard error, without a traceback, and status 2; ``SDPOSE_TRACEBACK=1`` shows the traceback all the
    same. Ctrl-C is status 130, another signal that ends a training 128 plus its number. Any other exception is a defect
    of the program and keeps its traceback. Folders that were made for what did not come are removed.

    Args:
        command: The work.
        after_stop: What Ctrl-C, or another signal, says beside ``stopped``, such as how to go on.
    """
    silence_warnings()
    last_words.begin()
    try:
        _refuse_empty(sys.argv)
        command()
    except BaseException as error:
        remove_empty_folders()
        status, line = _outcome(error, after_stop)
        if type(error) is SystemExit:  # argparse has said it all
            raise
        lost = line is None and 'torch' in sys.modules and distributed().lost_connection(error)
        if lost:
            # Its launcher, too, may have noticed, and end this process before the others have answered.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            last_words.leave('error', 2, 'error: a process was lost', lost=True)
            status, line = 2, f'error: {distributed().lost_processes(error)}'
        if line is None:
            last_words.leave('defect', 1, f'{type(error).__name__}: {error}')
            raise
        if status == 2 and os.environ.get('SDPOSE_TRACEBACK') == '1':
            raise
        _flush_logs()
        last_words.leave('error' if status == 2 else 'stopped', status, line, lost)
        sys.stderr.write(f'{line}\n')
        return status
    return 0


def _refuse_empty(argv: Sequence[str]) -> None:
    """Refuse an empty argument, which a path would take for the current folder.

    Raises:
        UserError: Naming what stands before it.
    """
    for before, argument in zip(argv, argv[1:]):
        if not argument or argument.startswith('--') and argument.endswith('=') and argument.count('=') == 1:
            place = argument[:-1] or before
            raise UserError(f'the argument behind {place} is empty: is a variable of the shell not set?')


def _outcome(error: BaseException, after_stop: str) -> tuple[int, str | None]:
    """The exit status of an exception and its line; no line for a defect."""
    if isinstance(error, UserError):
        return 2, f'error: {error}'
    if isinstance(error, ModuleNotFoundError) and not (error.name or '').startswith('sdpose'):
        return 2, (
            f'error: {error}, for {sys.executable}: activate the environment that SDPose was installed into '
            '(source .venv/bin/activate), or install it first (bash tools/install.sh)'
        )
    if isinstance(error, Stopped):
        return error.code, f'{error}{after_stop}'
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return 2, (
            f'error: {error.filename or "a file"} could not be written: {error.strerror}. Files that were '
            'complete before are as they were; make room and start again'
        )
    if isinstance(error, OSError) and error.errno in _NO_PLACE and error.filename:
        return 2, f'error: {error.filename}: {error.strerror}: name another place, or make way for it'
    if _was_interrupted(error):
        return 130, f'stopped{after_stop}'
    return 1, None


def distributed() -> Any:
    """What knows a lost process by its exception; imported only where there may be one, with torch."""
    return import_module('sdpose.compat.distributed')


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether an exception arose while Ctrl-C was being handled: MMEngine catches it in places and fails later."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _flush_logs() -> None:
    """Write out what was logged, so that the last line stands behind it.

    ``logging.shutdown`` would close the handlers of other libraries, too, and absl's closes what stood for stderr when
    it was imported, whoever writes there now.
    """
    for reference in reversed(logging._handlerList):  # type: ignore[attr-defined]  # the one place that knows them all
        handler = reference()
        with suppress(OSError, ValueError):  # a full disk; a stream that its owner has closed
            if handler is not None:
                handler.flush()


def leave(status: int) -> NoReturn:
    """End the process like :func:`sys.exit`, without taking down thousands of modules one by one.

    That takes a second or two, which whoever pressed Ctrl-C, or a batch system, would have to wait for.
    """
    # Python's own way to wait for threads at its end: it first tells idle workers of an executor, as that of OpenVINO's
    # telemetry, to end, for which a join would wait forever.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class OverrideAction(argparse.Action):
    """Reads ``KEY=VALUE`` into a dict, see :func:`sdpose.config.values.parse_value`."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add the values to those of the same option before.

        Raises:
            argparse.ArgumentError: If a text has no key, or its value cannot be read.
        """
        found = dict(getattr(namespace, self.dest) or {})
        for text in values:
            key, is_pair, value = text.partition('=')
            if not is_pair or not all(part.strip() for part in key.split('.')):
                raise argparse.ArgumentError(self, f'{text!r} is not of the form KEY=VALUE')
            try:
                found[key.strip()] = parse_value(value)
            except (ValueError, RecursionError) as error:
                raise argparse.ArgumentError(
                    self,
                    f'the value of {text!r} cannot be read: {error}; use numbers, words, [lists], (tuples) or '
                    '{key: value} of them, or put whole parts (dicts) into a config',
                ) from error
        setattr(namespace, self.dest, found)


def add_override_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OverrideAction,
        metavar='KEY=VALUE',
        help='override config keys, e.g. train_dataloader.batch_size=32',
    )


def add_run_options(parser: argparse.ArgumentParser, phase: str) -> None:
    """Add the options that training and testing share; see :func:`sdpose.config.options.prepare`.

    Args:
        parser: The tool's parser.
        phase: What evaluates here, ``'validation'`` or ``'test'``.
    """
    add = parser.add_argument
    add('--work-dir', help='where the log, and what else is written, goes (default: work_dirs/<config name>)')
    add('--gt-bbox', action='store_true', help=f"{phase} on annotated boxes, not a detector's")
    add('--allow-partial', action='store_true', help='accept a checkpoint that fills the model only in part')
    add('--skip-checks', action='store_true', help='start without the look at data and config that takes seconds')
    add('--show-dir', help=f'save pictures of {phase} predictions here (below the log)')
    add('--show', action='store_true', help=f'show {phase} predictions in a window')
    if phase == 'validation':  # MMPose draws every sample of a test
        add('--interval', type=int, default=1, help='draw the first sample of one of so many batches')
    add('--wait-time', type=float, default=1, help='seconds that a window stays')
    add_override_option(parser)
    add(
        '--dist-timeout',
        type=float,
        metavar='SECONDS',
        help='end a distributed run when a process does not answer for so long (default: 1800 over gloo, 600 over '
        'NCCL)',
    )
    add('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='how processes find each other')
    add('--local_rank', '--local-rank', type=int, default=0, help='set by some launchers')
