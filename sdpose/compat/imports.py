"""Imports that fail beside mmcv-lite, without mmdet or with a new setuptools."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

# The one compiled op that MMPose imports without a guard (ED-Pose); every other import of mmcv.ops is
# guarded.
_UNGUARDED_OP = 'MultiScaleDeformableAttention'


def require_pkg_resources() -> None:
    """Stop early when setuptools is too new for MMEngine.

    Seen: setuptools 81 removed ``pkg_resources``, which MMEngine 0.10.7 imports to resolve ``mmpose::`` base
    configs and in ``mmpose.apis``; training then fails deep inside config parsing. Older setuptools warns
    that the module is deprecated, which a user of this project can do nothing about.

    Raises:
        ImportError: If ``pkg_resources`` is missing.
    """
    if find_spec('pkg_resources') is None:
        raise ImportError(
            'pkg_resources is missing: MMEngine 0.10.7 needs it, setuptools >= 81 no longer has it. '
            'Cure: pip install "setuptools<81"'
        )
    warnings.filterwarnings('ignore', message='pkg_resources is deprecated', category=UserWarning)


def provide_compiled_ops() -> None:
    """Stand in for ``mmcv.ops`` when mmcv was installed without its compiled extension (mmcv-lite).

    Seen: ``import mmpose.models`` fails with ``No module named 'mmcv._ext'``, because the ED-Pose head
    imports an op at module level. The stand-in offers that one name, whose construction raises; any other op
    raises on import, so that guarded imports elsewhere still see that the ops are missing. Full mmcv is left
    untouched.
    """
    if find_spec('mmcv._ext') is not None or isinstance(sys.modules.get('mmcv.ops'), _MissingOps):
        return
    for name in ('mmcv.ops', 'mmcv.ops.multi_scale_deform_attn'):
        sys.modules[name] = _MissingOps(name)


class _MissingOps(ModuleType):
    """A stand-in for a module of compiled ops."""

    def __init__(self, name: str) -> None:
        super().__init__(name, 'Stand-in: mmcv was installed without compiled ops.')
        self.__spec__ = ModuleSpec(name, loader=None)
        setattr(self, _UNGUARDED_OP, type(_UNGUARDED_OP, (_MissingOp,), {'__module__': name}))

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        raise ImportError(_missing_op_message(name))


class _MissingOp:
    """A compiled op that cannot be constructed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise ImportError(_missing_op_message(type(self).__name__))


def _missing_op_message(op: str) -> str:
    return (
        f'{op} is a compiled op of mmcv, and the installed mmcv has none (mmcv-lite). Cure: pip uninstall '
        'mmcv-lite, then pip install "mmcv>=2.0.1,<2.2", which compiles for about ten minutes'
    )


def import_mmpose() -> None:
    """Import ``mmpose.models`` where mmdet is missing.

    Seen: the RTMO head imports two names from ``mmdet.utils`` without a guard. They are stood in for only
    while MMPose is being imported; afterwards ``import mmdet`` fails as it should, so no library takes mmdet
    for installed.
    """
    with _stand_in_for_mmdet():
        import_module('mmpose.models')


@contextmanager
def _stand_in_for_mmdet() -> Iterator[None]:
    if 'mmdet' in sys.modules or find_spec('mmdet') is not None:
        yield
        return
    package = ModuleType('mmdet')
    utils: Any = ModuleType('mmdet.utils')
    utils.ConfigType = dict
    utils.reduce_mean = _missing_reduce_mean
    sys.modules.update({'mmdet': package, 'mmdet.utils': utils})
    try:
        yield
    finally:
        for name in ('mmdet.utils', 'mmdet'):
            sys.modules.pop(name, None)


def _missing_reduce_mean(*args: Any, **kwargs: Any) -> None:
    raise ImportError(
        'reduce_mean belongs to mmdet, which is not installed (MMPose needs it for RTMO only). '
        'Cure: pip install "mmdet>=3.0,<3.3"'
    )


def hide_metainfo_warning() -> None:
    """Hide a misleading warning.

    Seen: MMPose 1.3 names its metainfo files by a path in its own repository, finds them in the installed package, as
    intended, and warns that the path does not exist.
    """
    warnings.filterwarnings('ignore', message=r'The metainfo config file "configs/_base_/datasets/')
