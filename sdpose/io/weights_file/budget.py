"""How much may be made of how many bytes: a small file never takes large memory."""

from .faults import UnfitError

_MEBI = 2**20
# An honest entry takes several bytes of a file; the first million is free, more than any model here has.
_FREE_STEPS = 10**6
_BYTES_PER_STEP = 64


class Budget:
    """The allowances of one file.

    Args:
        size: The file's size in bytes.

    Attributes:
        size: The same.
        steps: How many more entries may be read.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._allowed = self.steps = _FREE_STEPS + size // _BYTES_PER_STEP
        self._copied = 2 * size + _MEBI  # an array's bytes are copied twice: out of the text, and into the array
        self._repeated = size + _MEBI

    @property
    def taken(self) -> int:
        """How many entries were read."""
        return self._allowed - self.steps

    def copy(self, size: int) -> None:
        """Take bytes of memory that the file need not hold as often: one text can be named many times.

        Raises:
            UnfitError: If all of them are far more than the file's own.
        """
        self._copied -= size
        if self._copied < 0:
            raise UnfitError('it unpacks to more memory than it has bytes')

    def repeat(self, size: int) -> None:
        """Take bytes by which a tensor is larger than what is stored of it, as an expanded one is.

        Raises:
            UnfitError: If all of them are more than the file's own.
        """
        self._repeated -= size
        if self._repeated < 0:
            raise UnfitError('its tensors repeat few numbers to more memory than it has bytes')
