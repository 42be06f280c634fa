"""Checks of the files and values that a config names, before anything expensive starts.

Each check takes a config and the splits that will be used, raises what a user can cure, and logs what does not
prevent a run.
"""

from collections.abc import Callable, Sequence

from mmengine.config import Config
from mmengine.logging import print_log

from sdpose.config.nodes import is_first_process

from .agreement import check_flips, check_metrics, check_schedule
from .channels import check_channels
from .checkpoint import check_checkpoint
from .codec import check_codec
from .crop_cache import check_crop_caches
from .datasets import check_datasets
from .hooks import check_hooks
from .run_values import check_values
from .score import check_score
from .step_options import check_step_options

CHECKS: tuple[Callable[[Config, Sequence[str]], None], ...] = (
    check_values,
    check_step_options,
    check_checkpoint,
    check_metrics,
    check_schedule,
    check_flips,
    check_hooks,
    check_score,
    check_codec,
    check_datasets,
    check_crop_caches,
    check_channels,
)


def check_all(cfg: Config, splits: Sequence[str], skip: bool = False) -> None:
    """Run every check.

    Among several processes the first one checks; the others would only read the same files again.

    Args:
        cfg: The config.
        splits: Of ``'train'``, ``'val'``, ``'test'``, those that will be used.
        skip: Run none, and say so: what a check would have said may come later, and less clearly.

    Raises:
        UserError: Of the first check that finds a fault.
    """
    if skip:
        print_log('--skip-checks: data, checkpoint and config are not looked at before the run', 'current')
    elif is_first_process(cfg):
        for check in CHECKS:
            check(cfg, splits)


__all__ = ['CHECKS', 'check_all']
