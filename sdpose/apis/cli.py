"""What every command-line tool does around its work: report user errors in one line, hide known noise."""

import logging
import os
import sys
from typing import Callable

from sdpose.compat import CheckpointError
from sdpose.errors import UserError

from .noise import silence_warnings


def run(command: Callable[[], object]) -> int:
    """Run a tool's work and turn its outcome into an exit status.

    A mistake of the user is one line (or a table) that starts with ``error:`` on standard error, without a
    traceback, and status 2; ``SDPOSE_TRACEBACK=1`` shows the traceback all the same. Ctrl-C is status 130. Any other
    exception is a defect of the program and keeps its traceback.
    """
    silence_warnings()
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
