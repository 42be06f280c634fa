"""What every command-line tool does around its work: report user errors in one line, hide known noise."""

import argparse
import logging
import os
import sys
from typing import Any, Callable, Optional

from mmengine.config import DictAction

from sdpose.compat import CheckpointError
from sdpose.errors import UserError

from .noise import silence_warnings


def run(command: Callable[[], object], after_stop: str = '') -> int:
    """Run a tool's work and turn its outcome into an exit status.

    A mistake of the user is one line (or a table) that starts with ``error:`` on standard error, without a
    traceback, and status 2; ``SDPOSE_TRACEBACK=1`` shows the traceback all the same. Ctrl-C is status 130. Any other
    exception is a defect of the program and keeps its traceback.

    Args:
        command: The work.
        after_stop: What Ctrl-C says beside ``stopped``, such as how to go on.
    """
    silence_warnings()
    try:
        command()
    except KeyboardInterrupt:
        sys.stderr.write(f'stopped{after_stop}\n')
        return 130
    except (UserError, CheckpointError) as error:
        if os.environ.get('SDPOSE_TRACEBACK') == '1':
            raise
        logging.shutdown()
        sys.stderr.write(f'error: {error}\n')
        return 2
    except Exception as error:
        if not _was_interrupted(error):
            raise
        sys.stderr.write(f'stopped{after_stop}\n')
        return 130
    return 0


def _was_interrupted(error: Optional[BaseException]) -> bool:
    """Whether an exception arose while Ctrl-C was being handled: MMEngine catches it in places and fails later."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


class OverrideAction(DictAction):
    """MMEngine's ``KEY=VALUE`` parser, which meets a value it cannot read with a recursion or an assertion."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any,
                 option_string: Optional[str] = None) -> None:
        for text in values:
            if '=' not in text:
                raise argparse.ArgumentError(self, f'{text!r} is not of the form KEY=VALUE')
            try:
                super().__call__(parser, namespace, [text], option_string)
            except (AssertionError, RecursionError, ValueError) as error:
                raise argparse.ArgumentError(
                    self, f'the value of {text!r} cannot be read: use numbers, words, [lists] or (tuples) of them; '
                    'put whole parts (dicts) into a config') from error


def add_override_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument('--cfg-options', nargs='+', action=OverrideAction, metavar='KEY=VALUE',
                        help='override config keys, e.g. train_dataloader.batch_size=32')


def add_run_options(parser: argparse.ArgumentParser, phase: str) -> None:
    """Add the options that training and testing share; see :func:`sdpose.apis.run_options.prepare`.

    Args:
        parser: The tool's parser.
        phase: What evaluates here, ``'validation'`` or ``'test'``.
    """
    add = parser.add_argument
    add('--work-dir', help='where the log, and what else is written, goes (default: work_dirs/<config name>)')
    add('--gt-bbox', action='store_true', help=f"{phase} on annotated boxes, not a detector's")
    add('--allow-partial', action='store_true', help='accept a checkpoint that fills the model only in part')
    add('--show-dir', help=f'save pictures of {phase} predictions here (below the log)')
    add('--show', action='store_true', help=f'show {phase} predictions in a window')
    if phase == 'validation':  # MMPose draws every sample of a test
        add('--interval', type=int, default=1, help='draw one of so many samples')
    add('--wait-time', type=float, default=1, help='seconds that a window stays')
    add_override_option(parser)
    add('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='how processes find each other')
    add('--local_rank', '--local-rank', type=int, default=0, help='set by some launchers')
