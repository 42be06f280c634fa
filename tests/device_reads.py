"""What would have a host wait for its GPU, counted on a machine without one."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from unittest.mock import patch

import torch

# What copies a tensor to the host, or a list to the device; cholesky reads whether it has succeeded.
_TENSOR = 'item cpu numpy tolist __bool__ __float__ __int__ __index__ __contains__ new_tensor nonzero'.split()
_TORCH = 'tensor as_tensor from_numpy nonzero masked_select equal allclose'.split()


@contextmanager
def reads() -> Iterator[Counter]:
    """Counts calls, by name, of what reads a tensor or makes one of a list; those of an optimizer's step are not meant.

    torch keeps the number of an optimizer's steps on the host, and reads it there.
    """
    found: Counter = Counter()

    def counted(name, original):
        @wraps(original)
        def call(*args, **kwargs):
            if '/torch/optim/' not in sys._getframe(1).f_code.co_filename:
                found[name] += 1
            return original(*args, **kwargs)

        return call

    patches = [patch.object(torch.Tensor, name, counted(name, getattr(torch.Tensor, name))) for name in _TENSOR]
    patches += [patch.object(torch, name, counted(f'torch.{name}', getattr(torch, name))) for name in _TORCH]
    patches.append(patch.object(torch.linalg, 'cholesky', counted('cholesky', torch.linalg.cholesky)))
    for each in patches:
        each.start()
    try:
        yield found
    finally:
        for each in patches:
            each.stop()
