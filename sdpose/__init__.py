"""SDPose: training framework for tokenized human pose estimation.

What is named here is what a user may import; everything else may change from one version to the next. Importing the
package costs next to nothing: its parts are in MMPose's registries as soon as MMPose is imported
(:mod:`sdpose.registration`), which is all that ``custom_imports=['sdpose']`` in a config needs.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .registration import register_on_demand
from .version import __version__

if TYPE_CHECKING:
    from .apis.complexity import complexity
    from .apis.inference import PoseInferencer
    from .apis.model_zoo import init_model, list_models
    from .apis.testing import test
    from .apis.training import train
    from .converters.publishing import publish
    from .deploy.optimize import optimize_for_inference

__all__ = [
    'PoseInferencer',
    '__version__',
    'complexity',
    'init_model',
    'list_models',
    'optimize_for_inference',
    'publish',
    'test',
    'train',
]

_HOMES = dict(
    PoseInferencer='apis.inference',
    complexity='apis.complexity',
    init_model='apis.model_zoo',
    list_models='apis.model_zoo',
    optimize_for_inference='deploy.optimize',
    publish='converters.publishing',
    test='apis.testing',
    train='apis.training',
)

register_on_demand()


def __getattr__(name: str) -> Any:
    """A function of the public face, or a room such as ``sdpose.models``, imported when it is first asked for."""
    if name in _HOMES:
        return getattr(import_module(f'.{_HOMES[name]}', __name__), name)
    if not name.startswith('_') and find_spec(f'{__name__}.{name}') is not None:
        return import_module(f'.{name}', __name__)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
