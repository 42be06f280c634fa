"""Mistakes a user can cure, told apart from defects of the program, and how a run ends by a signal."""

import errno
import re
import signal
from collections.abc import Iterable, Sequence

# The disk is full, a quota or the largest size of a file is reached, or the disk takes nothing any more.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
# torch re-raises a worker's exception as the same class with the worker's whole traceback as its message.
_FROM_WORKER = re.compile(r'^Caught \w+ in .*?(?:\n.*)*\n(?:[\w.]+\.)?(\w+): (?P<message>(?:.|\n)*)$')


class UserError(Exception):
    """Something outside the code is wrong: a path, a file's content, a config, an option.

    The command-line tools print its message as one line ``error: …`` and exit with status 2, without a traceback.
    Every other exception is a defect and keeps its traceback. The message names the file, key or value, and the cure.
    """

    def __str__(self) -> str:
        message = super().__str__()
        match = _FROM_WORKER.match(message)
        return match['message'].strip() if match else message


class DataError(UserError):
    """A data set is missing, incomplete or damaged."""


class ConfigError(UserError):
    """A config or an override of it is wrong."""


class MismatchError(UserError):
    """A checkpoint's weights are not those of the model."""


class CheckpointError(UserError):
    """A checkpoint that is broken or carries something else than weights; the message names the file."""


class NonFiniteError(UserError):
    """A loss or a weight became NaN or infinite."""


class Stopped(SystemExit):
    """A run was ended by a signal. Python ends with 128 plus its number, as a shell would say it.

    Args:
        number: The signal.
        checkpoint: What a training was saved as; None if there was nothing to save.
    """

    code: int

    def __init__(self, number: int, checkpoint: str | None = None) -> None:
        super().__init__(128 + number)
        self.number = number
        self.checkpoint = checkpoint

    def __str__(self) -> str:
        saved = f'; saved as {self.checkpoint}' if self.checkpoint else ''
        return f'stopped by {signal.Signals(self.number).name}{saved}'


def require_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """Refuse a value that is none of a few; whatever compares it would take it for one of the others.

    Raises:
        ValueError: Naming the choices.
    """
    if value not in (known := tuple(choices)):
        raise ValueError(f'{name}={value!r} is unknown; choose one of {", ".join(known)}')


def first_few(names: Sequence[str], shown: int = 3) -> str:
    """The beginning of a list for a message: ``a, b, c and 4 more``."""
    more = f' and {len(names) - shown} more' if len(names) > shown else ''
    return ', '.join(names[:shown]) + more


def one_line(error: BaseException, longest: int = 300) -> str:
    """What another library's exception says, in one line: its class where its words need it, then its words."""
    words = ' '.join(str(error).split())
    words = words if len(words) <= longest else f'{words[:longest]} ...'
    bare = isinstance(error, (KeyError, IndexError, AttributeError, TypeError, AssertionError)) or not words
    return f'{type(error).__name__}: {words}' if bare and words else words or type(error).__name__
