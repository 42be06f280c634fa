"""Half precision where MMPose computes with NumPy and OpenCV."""

from functools import wraps
from importlib import import_module
from typing import Any

import torch

from .rebind import rebind


def decode_half_precision() -> None:
    """Hand values of half precision to NumPy as float32, which holds each of them exactly.

    Seen: NumPy has no bfloat16, and OpenCV takes no half precision. Under ``torch.autocast`` MMPose 1.3.2's heads end
    in ``TypeError: Got unsupported ScalarType BFloat16`` in the accuracy of training and in decoding.
    """
    original = import_module('mmpose.utils.tensor_utils').to_numpy
    if hasattr(original, '__wrapped__'):
        return

    @wraps(original)
    def to_numpy(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, torch.Tensor) and x.dtype in (torch.float16, torch.bfloat16):
            x = x.float()
        return original(x, *args, **kwargs)  # a sequence's elements come back here

    rebind(original, to_numpy, 'mmpose')
