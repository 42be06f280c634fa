"""What a table of speeds must name: processor, versions, threads, and the most that the machine can do."""

import platform
from collections.abc import Sequence
from statistics import median

from sdpose.io.machine import installed_version, processor

from .timing import clock_for

LIBRARIES = ('torch', 'numpy', 'opencv-python', 'mmpose', 'mmengine')


def machine(libraries: Sequence[str] = LIBRARIES) -> str:
    """Processor, Python and the versions of libraries that are installed, as a line."""
    versions = {'Python': platform.python_version(), **{name: installed_version(name) for name in libraries}}
    return ', '.join([processor(), *(f'{name} {found}' for name, found in versions.items() if found is not None)])


def gemm_peak(size: int = 1024, repeats: int = 7) -> float:
    """The rate of a square matrix product of float32 in torch, in FLOP/s: the most that a model could reach.

    Args:
        size: Rows and columns of the square matrices.
        repeats: Products that are timed; their median counts.
    """
    import torch

    left, right = (torch.randn(size, size) for _ in range(2))
    clock, times = clock_for(torch.get_num_threads()), []
    for _ in range(repeats + 2):
        start = clock()
        torch.mm(left, right)
        times.append(clock() - start)
    return 2 * size**3 / median(times[2:])
