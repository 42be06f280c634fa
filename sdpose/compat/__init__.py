"""Every friction of the dependencies, solved once; imported and applied before anything else of the project.

==========================  =========================================================================
module                      what it solves
==========================  =========================================================================
``imports``                 mmcv without compiled ops, mmpose without mmdet, pkg_resources
``loading``                 checkpoints load weights only, with the few types MMEngine stores
``inferring``               a config inside a checkpoint is read, not run
``saving``                  checkpoints and their marker survive a kill; nothing is removed too early
``distributed``             several CPU processes over gloo
``drawing``                 drawing joints beside NumPy 2.4
==========================  =========================================================================

Two more are solved by ``tools/install.sh``: which versions fit each other, and xtcocotools beside NumPy 2.
"""

from ..errors import CheckpointError
from .distributed import run_without_gpu
from .drawing import draw_with_scalar_radius
from .imports import hide_metainfo_warning, import_mmpose, provide_compiled_ops, require_pkg_resources
from .inferring import run_no_stored_config
from .loading import load_weights_only, store_numbers_only
from .saving import find_latest_checkpoint, keep_until_saved, resume_from_complete, save_atomically


def apply() -> None:
    """Apply every solution; calling it again changes nothing."""
    require_pkg_resources()
    provide_compiled_ops()
    import_mmpose()
    store_numbers_only()
    load_weights_only()
    run_no_stored_config()
    save_atomically()
    keep_until_saved()
    resume_from_complete()
    run_without_gpu()
    draw_with_scalar_radius()
    hide_metainfo_warning()


__all__ = ['CheckpointError', 'apply', 'find_latest_checkpoint']
