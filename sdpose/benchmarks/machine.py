"""What a table of speeds must name: processor, versions, threads, and the most that the machine can do."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from .timing import clock_for

LIBRARIES = ('torch', 'numpy', 'opencv-python', 'mmpose', 'mmengine')


def processor() -> str:
    """The processor's name, as the system tells it."""
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def installed(library: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def machine(libraries: Sequence[str] = LIBRARIES) -> str:
    """Processor, Python and the versions of libraries that are installed, as a line."""
    versions = {'Python': platform.python_version(), **{name: installed(name) for name in libraries}}
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
