"""What a table of speeds must name: the processor, and the versions of Python and of libraries."""

import platform
from collections.abc import Sequence

from sdpose.io.machine import installed_version, processor

LIBRARIES = ('torch', 'numpy', 'opencv-python', 'mmpose', 'mmengine')


def machine(libraries: Sequence[str] = LIBRARIES) -> str:
    """Processor, Python and the versions of libraries that are installed, as a line."""
    versions = {'Python': platform.python_version(), **{name: installed_version(name) for name in libraries}}
    return ', '.join([processor(), *(f'{name} {found}' for name, found in versions.items() if found is not None)])
