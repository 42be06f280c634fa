"""Why a file is not read; :mod:`sdpose.io.weights_file.file` puts its name before it."""


class ForeignTypeError(Exception):
    """The file names something that is neither weight nor number; the message is that name."""


class UnfitError(Exception):
    """The file holds what no honest one does: sizes that are not true, arguments of the wrong kind."""


class DamagedError(Exception):
    """The file is cut off, or its content is not what was written."""
