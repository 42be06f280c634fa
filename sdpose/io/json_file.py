"""Reading a JSON file that a user names."""

import json
from pathlib import Path
from typing import Any

from sdpose.errors import DataError


def read_json(file: str | Path, what: str) -> Any:
    """The content of a JSON file.

    Args:
        file: The file.
        what: What it should be, for the message.

    Raises:
        DataError: If it is not there, a folder or a pipe (which would wait for ever), or not JSON.
    """
    if not Path(file).is_file():
        raise DataError(f'{file} is not {what}: there is no such file')
    try:
        return json.loads(Path(file).read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f'{file} is not {what}: it is not valid JSON ({error}); fetch it again') from error
