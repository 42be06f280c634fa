"""The parts of the project stand in MMPose's registries as soon as MMPose is there, and cost nothing before.

``import sdpose`` takes a few milliseconds and needs neither torch nor MMPose. The first import of MMPose makes the
dependencies fit together (:mod:`sdpose.compat`), that of MMEngine's loader makes it safe, that of its ``Config`` lets
variables reach what follows them; the first look-up in a registry imports the parts that belong into it, as MMEngine
imports MMPose's own.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# What is changed as soon as it has been imported, and by which function of the package.
_AWAITED = {
    'mmengine.config.config': ('config.references', 'resolve_on_reading'),
    'mmengine.runner.checkpoint': ('compat', 'apply_to_loading'),
    'mmpose': ('compat', 'apply'),
    'mmpose.apis.inference': ('compat', 'apply_to_inference'),
}
# The package that fills a registry; a look-up in MMPose's registry does not import what MMEngine's of that name lacks.
_LOCATIONS = {
    'mmpose.registry': dict(
        MODELS='sdpose.models',
        KEYPOINT_CODECS='sdpose.deploy.codec',
        WEIGHT_INITIALIZERS='sdpose.models',
        DATASETS='sdpose.datasets',
        TRANSFORMS='sdpose.datasets',
        DATA_SAMPLERS='sdpose.datasets',
        METRICS='sdpose.evaluation',
        EVALUATORS='sdpose.evaluation',
        HOOKS='sdpose.engine',
        LOOPS='sdpose.engine',
        LOG_PROCESSORS='sdpose.engine',
        OPTIM_WRAPPERS='sdpose.engine',
    ),
    'mmengine.registry': dict(
        DATA_SAMPLERS='sdpose.datasets',
        EVALUATOR='sdpose.evaluation',
        HOOKS='sdpose.engine',
        LOOPS='sdpose.engine',
        LOG_PROCESSORS='sdpose.engine',
        OPTIM_WRAPPERS='sdpose.engine',
    ),
}


def register_on_demand() -> None:
    """Register the parts when MMPose is imported, or now if it has been."""
    for name in _AWAITED:
        if name in sys.modules:
            _act_on(name)
        else:
            sys.meta_path.insert(0, _Waiting(name))


def _act_on(name: str) -> None:
    """What the import of an awaited module leads to; again changes nothing."""
    module, function = _AWAITED[name]
    getattr(import_module(f'sdpose.{module}'), function)()
    if name == 'mmpose':
        _register_locations()


def _register_locations() -> None:
    """Tell the registries where to find the parts; where a look-up has been made before, import them now."""
    for module, locations in _LOCATIONS.items():
        for name, package in locations.items():
            registry: Any = getattr(import_module(module), name)
            if registry._imported:
                import_module(package)
            elif package not in registry._locations:
                registry._locations = [*registry._locations, package]


class _Waiting(MetaPathFinder):
    """Wait for the import of a module, and let the other finders find it."""

    def __init__(self, awaited: str) -> None:
        self.awaited = awaited

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module's own spec, with a loader that acts on the import; None for any other module."""
        if name != self.awaited:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _ThenAct(spec.loader, self)
                return spec
        return None


class _ThenAct(Loader):
    """A module's own loader, and acting on its import once it has been run."""

    def __init__(self, loader: Loader, waiting: _Waiting) -> None:
        self.loader = loader
        self.waiting = waiting

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the module's own loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then act; if that fails, so does the import, and the next one tries again."""
        spec = module.__spec__
        if spec is not None:
            spec.loader = module.__loader__ = self.loader  # as if nobody had waited
        self.loader.exec_module(module)
        _act_on(module.__name__)
        sys.meta_path.remove(self.waiting)
