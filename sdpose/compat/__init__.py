"""Every friction of the dependencies, solved once; applied when what it cures is imported.

==========================  =========================================================================
module                      what it solves
==========================  =========================================================================
``imports``                 mmcv without compiled ops, mmpose without mmdet, pkg_resources
``loading``                 checkpoints are read by ``sdpose.io.weights_file``: weights, numbers and text only
``inferring``               a config inside a checkpoint is read, not run; single pictures and boxes that are none
``saving``                  files survive a kill and a full disk; nothing is removed too early
``distributed``             several CPU processes over gloo; processes end with their launcher; lost ones named
``workers``                 signals are answered by the main process, not by a loader's workers
``drawing``                 drawing joints beside NumPy 2.4
``half_precision``          training and decoding in bfloat16 and float16
``not_a_number``            NaN in a likelihood's loss, and in COCO's evaluation
``pictures``                decompression bombs
``accumulation``            learning rates are scaled by all samples of a step
``averaging``               averaged weights have the batch norms of all processes, and count steps
``log_scalars``             values of the log are copied from the device when they are read
``config_files``            config files that cannot be read are named; a byte order mark is read over
``byte_order_mark``         JSON files that begin with a byte order mark
``evaluating``              annotations without key points in COCO's evaluation
``entry_size``              the size that a picture has by its annotation file
==========================  =========================================================================

Two more are solved by ``tools/install.sh``: which versions fit each other, and xtcocotools beside NumPy 2.
"""


def apply_to_loading() -> None:
    """Let MMEngine read checkpoints, and the configs in them, without running anything; again changes nothing."""
    from .inferring import run_no_stored_config
    from .loading import load_weights_only, store_numbers_only, store_plain_metainfo

    store_numbers_only()
    store_plain_metainfo()
    load_weights_only()
    run_no_stored_config()


def apply_to_inference() -> None:
    """Let MMPose's inference of single pictures say what is wrong with them; again changes nothing."""
    from .inferring import check_single_pictures

    check_single_pictures()


def apply() -> None:
    """Apply every solution; again changes nothing."""
    from .accumulation import count_accumulation
    from .averaging import average_steps, sync_averaged_buffers
    from .byte_order_mark import skip_byte_order_marks
    from .config_files import name_config_files
    from .distributed import run_without_gpu
    from .drawing import draw_with_scalar_radius
    from .entry_size import keep_entry_size
    from .evaluating import evaluate_beside_boxes
    from .half_precision import decode_half_precision
    from .imports import hide_metainfo_warning, import_mmpose, provide_compiled_ops, require_pkg_resources
    from .log_scalars import read_scalars_late
    from .not_a_number import count_nan_as_wrong, let_likelihood_be_nan
    from .pictures import refuse_huge_pictures
    from .saving import dump_config_atomically, end_without_log, keep_until_saved, resume_from_complete, save_atomically
    from .workers import leave_signals_to_parent

    require_pkg_resources()
    provide_compiled_ops()
    import_mmpose()
    apply_to_loading()
    save_atomically()
    keep_until_saved()
    dump_config_atomically()
    end_without_log()
    resume_from_complete()
    run_without_gpu()
    leave_signals_to_parent()
    draw_with_scalar_radius()
    decode_half_precision()
    let_likelihood_be_nan()
    count_nan_as_wrong()
    refuse_huge_pictures()
    name_config_files()
    count_accumulation()
    average_steps()
    sync_averaged_buffers()
    read_scalars_late()
    skip_byte_order_marks()
    evaluate_beside_boxes()
    keep_entry_size()
    hide_metainfo_warning()


# What waits for this module applies the above, and finds no module of the package half imported.
import mmengine.runner.checkpoint  # noqa: E402,F401

__all__ = ['apply', 'apply_to_inference', 'apply_to_loading']
