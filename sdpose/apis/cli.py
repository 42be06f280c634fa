"""What every command-line tool does around its work: report user errors in one line, silence known noise."""

import logging
import os
import sys
import warnings
from typing import Callable

from sdpose.compat import CheckpointError
from sdpose.errors import UserError

# Warnings of the installed stack that a user can do nothing about, each with its reason.
_KNOWN_NOISE = (
    # MMEngine 0.10.7 uses torch.cuda.amp names that newer torch renamed; the behaviour is the same.
    r'`torch\.cuda\.amp\.\w+\(args\.\.\.\)` is deprecated',
    # MMEngine steps its schedulers in its own order, which torch cannot see through the optimizer wrapper.
    r'Detected call of `lr_scheduler\.step\(\)` before `optimizer\.step\(\)`',
    # MMPose's visualizer backend asks for a folder that it sets itself later.
    r'Failed to add .*, please provide the `save_dir` argument',
)


def run(command: Callable[[], object]) -> int:
    """Run a tool's work and turn its outcome into an exit status.

    A mistake of the user is one line (or a table) that starts with ``error:`` on standard error, without a
    traceback, and status 2; ``SDPOSE_TRACEBACK=1`` shows the traceback all the same. Ctrl-C is status 130. Any other
    exception is a defect of the program and keeps its traceback.
    """
    for message in _KNOWN_NOISE:
        warnings.filterwarnings('ignore', message=message)
    try:
        command()
    except KeyboardInterrupt:
        print('stopped', file=sys.stderr)
        return 130
    except (UserError, CheckpointError) as error:
        if os.environ.get('SDPOSE_TRACEBACK') == '1':
            raise
        logging.shutdown()
        print(f'error: {error}', file=sys.stderr)
        return 2
    return 0
