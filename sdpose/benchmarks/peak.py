"""The most that a machine can do: a product of two square matrices in torch, beside which models are timed."""

from collections.abc import Callable
from statistics import median

import torch

from .device import autocast, dtype_of
from .timing import clock_for, interleaved

SIDES = dict(cpu=1024, cuda=8192)  # of the square matrices
_REPEATS = 7


def flops_of_product(device: torch.device) -> int:
    """FLOP of the product of :func:`square_product`."""
    return 2 * SIDES[device.type] ** 3


def square_product(device: torch.device, precision: str) -> Callable[[], None]:
    """A product of two square matrices of ``SIDES``: the most that a device can do.

    Args:
        device: Where.
        precision: Of :data:`sdpose.benchmarks.device.PRECISIONS`.
    """
    side = SIDES[device.type]
    left, right = (torch.randn(side, side, device=device).to(dtype_of(precision)) for _ in range(2))

    def product() -> None:
        with autocast(device, precision if precision == 'tf32' else 'fp32'):
            torch.mm(left, right)
        if device.type == 'cuda':
            torch.cuda.synchronize(device)

    return product


def gemm_peak() -> float:
    """The rate of the product in float32 on the CPU, in FLOP/s; the median of a few counts."""
    device = torch.device('cpu')
    run = square_product(device, 'fp32')
    times = interleaved({'gemm': run}, _REPEATS, warmup=2, clock=clock_for(torch.get_num_threads()))
    return flops_of_product(device) / median(times['gemm'])
