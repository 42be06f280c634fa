"""The layout of safetensors: named tensors, and text beside them, where this project keeps a checkpoint's meta."""

import json
from collections.abc import Mapping
from typing import IO, Any

from torch import Tensor

from .faults import DamagedError

_KEY = 'sdpose'
_LENGTH = 8  # bytes that hold the length of the header


def is_safetensors(stream: IO[bytes]) -> bool:
    """Whether a stream, from its beginning, has this layout: a length, and a JSON object."""
    start = stream.read(_LENGTH + 1)
    stream.seek(0)
    return start[_LENGTH:] == b'{'


def read_safetensors(stream: IO[bytes], map_location: Any) -> dict[str, Any]:
    """The content of a file as that of a checkpoint: ``state_dict``, and ``meta``, empty in a foreign file.

    Args:
        stream: The file.
        map_location: A device; None for the CPU.

    Raises:
        DamagedError: If the file is not what its header says.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    content = stream.read()
    try:
        weights = load(content)
        header = json.loads(content[_LENGTH : _LENGTH + int.from_bytes(content[:_LENGTH], 'little')])
        meta = json.loads(header.get('__metadata__', {}).get(_KEY, '{}'))
    except (SafetensorError, ValueError, AttributeError, RecursionError) as error:
        raise DamagedError(str(error)) from error
    if not isinstance(meta, dict):
        raise DamagedError(f'its text {_KEY!r} is no JSON object')
    device = 'cpu' if map_location is None else map_location
    return dict(meta=meta, state_dict={name: value.to(device) for name, value in weights.items()})


def pack_safetensors(weights: Mapping[str, Tensor], meta: Mapping[str, Any]) -> bytes:
    """The file that :func:`read_safetensors` reads.

    Args:
        weights: Named tensors.
        meta: Plain values.
    """
    from safetensors.torch import save

    return save({name: value.contiguous() for name, value in weights.items()}, {_KEY: json.dumps(meta)})
