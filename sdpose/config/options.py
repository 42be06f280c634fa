"""Options that training and testing share, merged into a config."""

import os
from pathlib import Path
from typing import Any

from mmengine.config import Config

from sdpose.errors import ConfigError

from .launching import require_launcher
from .load import load_config
from .nodes import split_datasets, use_ground_truth_boxes

_SPLITS = ('train', 'val', 'test')


def prepare(
    config: str,
    work_dir: str | None = None,
    gt_bbox: bool = False,
    allow_partial: bool = False,
    show: bool = False,
    show_dir: str | None = None,
    interval: int = 1,
    wait_time: float = 1,
    cfg_options: dict[str, Any] | None = None,
    launcher: str = 'none',
    local_rank: int = 0,
    dist_timeout: float | None = None,
) -> Config:
    """Read a config and merge what training and testing share into it.

    Args:
        config: A config file, or the name of one of the package's configs.
        work_dir: Where a run writes; default the config's ``work_dir``, else ``work_dirs/<config name>``.
        gt_bbox: Evaluate on annotated boxes instead of a detector's.
        allow_partial: Accept a checkpoint that fills the model only in part.
        show: Show predictions of the evaluation in a window.
        show_dir: Save pictures of these predictions here, below the log's folder.
        interval: Draw one of so many samples.
        wait_time: Seconds that a window stays.
        cfg_options: Overrides of single config keys, dotted.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        local_rank: Number of this process on its machine, for launchers that pass it as an argument.
        dist_timeout: Seconds after which a process that does not answer ends a distributed run.

    Raises:
        ConfigError: If the config or an option does not fit.
    """
    if 'launcher' in (cfg_options or {}):
        raise ConfigError('--cfg-options launcher: nothing reads it there, use --launcher')
    cfg = load_config(config, cfg_options)
    require_launcher(launcher)
    cfg.launcher = launcher
    os.environ.setdefault('LOCAL_RANK', str(local_rank))
    cfg.work_dir = work_dir or cfg.get('work_dir') or os.path.join('work_dirs', Path(config).stem)
    _set_strictness(cfg, allow_partial)
    if dist_timeout is not None:
        _set_timeout(cfg, dist_timeout)
    set_as_run(cfg)
    if show or show_dir is not None:
        _set_drawing(cfg, show, show_dir, interval, wait_time)
    if gt_bbox:
        for loader in filter(None, (cfg.get('val_dataloader'), cfg.get('test_dataloader'))):
            use_ground_truth_boxes(loader.dataset)
    return cfg


def set_as_run(cfg: Config) -> None:
    """Set what every run sets, whatever its options, so that a config equals the one in a run's folder."""
    if cfg.get('default_hooks') is None:
        cfg.default_hooks = {}
    _make_resumable(cfg)
    _disable_persistent_workers(cfg)
    _use_checked_loading(cfg)


def _set_strictness(cfg: Config, allow_partial: bool) -> None:
    """Demand that checkpoints fill the model, in configs without our runtime base too."""
    if cfg.get('default_hooks') is None:
        cfg.default_hooks = {}
    hooks = cfg.default_hooks
    hooks.setdefault('strict_load', dict(type='StrictLoadHook'))
    if allow_partial:
        hooks['strict_load']['allow_partial'] = True


def _make_resumable(cfg: Config) -> None:
    """Let any training be stopped and resumed, in configs without our runtime base too."""
    hooks = cfg.default_hooks
    hooks.setdefault('stop', dict(type='StopHook'))
    hooks.setdefault('checkpoint', dict(type='CheckpointHook', interval=1))  # MMEngine's default
    checkpoint = hooks['checkpoint']
    if checkpoint is not None and checkpoint.get('type') == 'CheckpointHook':
        checkpoint['type'] = 'ResumableCheckpointHook'
    loop = cfg.get('train_cfg')
    if loop and ('type' not in loop and loop.get('by_epoch', True) or loop.get('type') == 'EpochBasedTrainLoop'):
        loop.type = 'ResumableTrainLoop'
    if loop and 'type' in loop:
        loop.pop('by_epoch', None)  # of a base; MMEngine takes one of the two


def _set_timeout(cfg: Config, seconds: float) -> None:
    """Limit the time that the processes of a run wait for each other.

    Raises:
        ConfigError: If it is not positive.
    """
    if not seconds > 0:
        raise ConfigError(f'--dist-timeout {seconds}: give more than 0 seconds')
    cfg.setdefault('env_cfg', {}).setdefault('dist_cfg', dict(backend='nccl')).timeout = seconds


def _disable_persistent_workers(cfg: Config) -> None:
    """``num_workers=0`` alone is a clear wish; torch refuses it beside the bases' ``persistent_workers=True``."""
    for split in _SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        if loader and loader.get('num_workers') == 0:
            loader.persistent_workers = False


def _use_checked_loading(cfg: Config) -> None:
    """Load images by our step in configs that inherit MMPose's pipelines, too: the same pixels, clear errors."""
    for dataset in (each for split in _SPLITS for each in split_datasets(cfg, split)):
        for step in dataset.get('pipeline') or []:
            if step.get('type') == 'LoadImage':
                step['type'] = 'LoadCheckedImage'


def _set_drawing(cfg: Config, show: bool, show_dir: str | None, interval: int, wait_time: float) -> None:
    """Draw predictions during evaluation.

    Raises:
        ConfigError: If the config lacks MMPose's visualization hook.
    """
    hook = cfg.default_hooks.get('visualization')
    if hook is None:
        raise ConfigError(
            '--show and --show-dir draw poses and need default_hooks.visualization='
            'dict(type="PoseVisualizationHook") in the config'
        )
    hook.update(enable=True, show=show, out_dir=show_dir, interval=interval)
    if show:
        hook.wait_time = wait_time
