"""Weights that are no numbers."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sdpose.errors import NonFiniteError


def require_finite(weights: Mapping[str, Any], source: str) -> None:
    """Raise if weights hold NaN or infinite numbers; masks of zeros and -inf are what they should be.

    Args:
        weights: Named tensors, and other entries, which are not looked at.
        source: What the message calls them, usually the file.

    Raises:
        NonFiniteError: Naming how many of how many tensors do, and the first.
    """
    tensors = {key: value for key, value in weights.items() if isinstance(value, Tensor)}
    broken = [key for key, value in tensors.items() if not _is_sound(value.detach())]
    if broken:
        raise NonFiniteError(
            f'{source} holds NaN or infinite numbers in {len(broken)} of {len(tensors)} tensors '
            f'(first: {broken[0]}): its weights are broken, take an earlier checkpoint'
        )


def _is_sound(value: Tensor) -> bool:
    if not (value.is_floating_point() or value.is_complex()) or value.is_meta:
        return True
    if value.element_size() == 1:  # torch cannot ask that of eight bits
        value = value.float()
    finite = value.isfinite()
    if finite.all():
        return True
    if value.is_complex():
        return False
    return bool(((value == 0) | torch.isneginf(value)).all() and (value == 0).any())
