"""SDPose: training framework for tokenized human pose estimation.

Importing the package makes its dependencies fit together (:mod:`sdpose.compat`) and registers every part of
the project in MMPose's registries, which is all that ``custom_imports=['sdpose']`` in a config needs.
"""

import sys

try:
    from . import compat
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f'{error}, for {sys.executable}: activate the environment that SDPose was installed into (source '
        '.venv/bin/activate), or install it first (bash tools/install.sh)', name=error.name) from None

from .version import __version__

compat.apply()

from . import datasets, engine, evaluation, models, visualization  # noqa: E402

__all__ = ['__version__', 'compat', 'datasets', 'engine', 'evaluation', 'models', 'visualization']
