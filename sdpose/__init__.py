"""SDPose: training framework for tokenized human pose estimation.
 Importing the package makes its dependencies fit together (:mod:`sdpose.compat`) and registers every part of
the project in MMPose's registries, which is all that ``custom_imports=['sdpose']`` in a config needs.
"""

from . import compat
from .version import __version__

compat.apply()

from . import datasets, engine, evaluation, models, visualization  # noqa: E402

__all__ = ['__version__', 'compat', 'datasets', 'engine', 'evaluation', 'models', 'visualization']
