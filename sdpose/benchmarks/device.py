"""The device and the precision that a benchmark of models computes in; quick to import, without torch."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from sdpose.errors import UserError

PRECISIONS = ('fp32', 'tf32', 'bf16', 'fp16')


def check_device(name: str, precisions: Sequence[str]) -> None:
    """Refuse a device that is not there, and a precision that it has not.

    Args:
        name: Of ``--device``.
        precisions: Of ``--precisions``.

    Raises:
        UserError: Naming the option.
    """
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f'--device {name}: cpu, cuda or cuda:N') from error
    if device.type not in ('cpu', 'cuda'):
        raise UserError(f'--device {name}: cpu, cuda or cuda:N')
    if device.type == 'cuda' and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f'--device {name}: torch sees {torch.cuda.device_count()} GPUs; --device cpu runs here')
    if device.type == 'cpu' and (odd := {'tf32', 'fp16'}.intersection(precisions)):
        raise UserError(f'--precisions {min(odd)} needs a GPU (--device cuda); a CPU has fp32 and bf16')


def dtype_of(precision: str) -> Any:
    """torch's type of the numbers that products of a precision, of ``PRECISIONS``, get."""
    import torch

    return dict(bf16=torch.bfloat16, fp16=torch.float16).get(precision, torch.float32)


def autocast(device: Any, precision: str) -> Any:
    """The context of a forward pass; TF32 is allowed, or not, for products and convolutions of float32.

    Args:
        device: Where it runs.
        precision: Of ``PRECISIONS``.
    """
    import torch

    if device.type == 'cuda':
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == 'tf32'
    dtype = dtype_of(precision)
    return nullcontext() if dtype is torch.float32 else torch.autocast(device.type, dtype)
