"""Reading a JSON file that a user names."""

import codecs
import json
from pathlib import Path
from typing import Any

from sdpose.errors import DataError

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class EncodingError(DataError):
    """A file that is not in UTF-8."""


def read_json(file: str | Path, what: str) -> Any:
    """The content of a JSON file in UTF-8, with a byte order mark or without.

    Args:
        file: The file.
        what: What it should be, for the message.

    Raises:
        DataError: If it is not there, a folder or a pipe (which would wait for ever), or not JSON.
        EncodingError: If it is in another encoding.
    """
    if not Path(file).is_file():
        raise DataError(f'{file} is not {what}: there is no such file')
    data = Path(file).read_bytes()
    if data.startswith(_WIDE) or b'\0' in data[:4]:
        raise EncodingError(f'{file} is in UTF-16 or UTF-32, which no data set reads: save it as UTF-8')
    try:
        return json.loads(data.decode('utf-8-sig'))
    except UnicodeDecodeError as error:
        raise EncodingError(
            f'{file} is not {what}: it is not in UTF-8 (byte {error.start} is {data[error.start]:#04x}): save it as '
            'UTF-8'
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f'{file} is not {what}: it is not valid JSON ({error}); fetch it again') from error
