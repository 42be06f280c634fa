"""A checkpoint file of either layout, and what is said of one that cannot be read."""

import os
import stat
import zipfile
from contextlib import nullcontext
from typing import IO, Any

from sdpose.errors import CheckpointError

from .archive import MAGIC, read_archive
from .budget import Budget
from .faults import DamagedError, ForeignTypeError, UnfitError
from .legacy import read_legacy
from .safe_layout import is_safetensors, read_safetensors
from .whole import require_plain

_FETCH = 'fetch it again, or take an earlier one'


def load_file(source: str | os.PathLike | IO[bytes], map_location: Any = None) -> Any:
    """What :func:`torch.save` wrote, if that is weights, numbers and text, or safetensors; nothing in the file is run.

    Args:
        source: A path, or the open file.
        map_location: As in :func:`torch.load`.

    Raises:
        CheckpointError: Naming the file and what is wrong with it.
        RuntimeError: If a device is not there.
    """
    name = source if isinstance(source, (str, os.PathLike)) else getattr(source, 'name', 'the checkpoint')
    try:
        with _open(source) as stream:
            return _read(stream, map_location)
    except ForeignTypeError as error:
        raise CheckpointError(
            f'{name} was refused and nothing in it was run: it carries {error}, which is neither a weight nor a number '
            'and could run code when loaded. Get the checkpoint from its original source, or have someone you trust '
            'save only its "state_dict" (tensors).'
        ) from None
    except UnfitError as error:
        raise CheckpointError(
            f'{name} was refused and nothing in it was run: {error}. No training writes such a file: '
            'get the checkpoint from its original source'
        ) from error
    except (DamagedError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f'{name} is not a complete checkpoint ({error}). It was cut off or changed while being '
            f'copied or downloaded, or is another kind of file: {_FETCH}.'
        ) from error
    except OSError as error:
        raise CheckpointError(f'{name} cannot be read ({error.strerror or error})') from error
    except Exception as error:
        if 'CUDA' in str(error):
            raise
        reason = str(error).strip().partition('\n')[0][:200]
        raise CheckpointError(
            f'{name} is not a checkpoint, or a damaged one ({type(error).__name__}: {reason}): '
            'nothing in it was run. Name a .pth file that a training or tools/model_converters has '
            'written.'
        ) from error


def _open(source: str | os.PathLike | IO[bytes]) -> Any:
    """The open file; a pipe would wait for ever, and a folder is none.

    Raises:
        CheckpointError: If it is no regular file.
    """
    if not isinstance(source, (str, os.PathLike)):
        return nullcontext(source)
    if not stat.S_ISREG(os.stat(source).st_mode):
        raise CheckpointError(f'{source} is no regular file: name a .pth file')
    return open(source, 'rb')


def _read(stream: IO[bytes], map_location: Any) -> Any:
    size = stream.seek(0, os.SEEK_END)
    if size == 0:
        raise DamagedError('it is empty')
    stream.seek(0)
    if is_safetensors(stream):
        return read_safetensors(stream, map_location)
    zipped = stream.read(len(MAGIC)) == MAGIC
    stream.seek(0)
    budget = Budget(size)
    content = (read_archive if zipped else read_legacy)(stream, budget, map_location)
    require_plain(content, budget.taken)
    return content
