"""Training from a config file; what ``tools/train.py`` runs."""

from typing import Any, Optional

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from sdpose.errors import ConfigError

from . import run_options
from .configs import building, load_config
from .noise import silence_records
from .preflight import check_checkpoint_path, check_data


def train(config: str,
          work_dir: Optional[str] = None,
          resume: Optional[str] = None,
          amp: bool = False,
          no_validate: bool = False,
          auto_scale_lr: bool = False,
          gt_bbox: bool = False,
          allow_partial: bool = False,
          show: bool = False,
          show_dir: Optional[str] = None,
          interval: int = 1,
          wait_time: float = 1,
          cfg_options: Optional[dict[str, Any]] = None,
          launcher: str = 'none',
          local_rank: int = 0) -> nn.Module:
    """Train a model.

    Args:
        config: Path of the config file.
        work_dir: Where logs and checkpoints go; default ``work_dirs/<config name>``.
        resume: ``'auto'`` for the newest checkpoint of the work folder, or a checkpoint's path.
        amp: Mixed precision; on a machine without a GPU, said in one line, float32.
        no_validate: Do not evaluate during training.
        auto_scale_lr: Scale the learning rate by the actual over the config's base batch size.
        gt_bbox: Validate on annotated boxes instead of a detector's.
        allow_partial: Accept a checkpoint that fills the model only in part.
        show: Show predictions during validation in a window.
        show_dir: Save pictures of predictions during validation here.
        interval: Draw every so-manieth sample.
        wait_time: Seconds that a window stays.
        cfg_options: Overrides of single config keys, dotted.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        local_rank: Number of this process on its machine, for launchers that pass it as an argument.

    Returns:
        The trained model.

    Raises:
        UserError: For anything the user can cure: a path, a config key, the data, a checkpoint.
    """
    cfg = load_config(config, cfg_options)
    run_options.set_launcher(cfg, launcher, local_rank)
    run_options.set_work_dir(cfg, config, work_dir)
    run_options.set_strictness(cfg, allow_partial)
    run_options.set_drawing(cfg, show, show_dir, interval, wait_time)
    if gt_bbox:
        run_options.set_ground_truth_boxes(cfg)
    if no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    _set_start(cfg, resume)
    if amp:
        _use_amp(cfg)
    if auto_scale_lr:
        _scale_learning_rate(cfg)
    check_data(cfg, ('train', 'val') if cfg.get('val_dataloader') else ('train', ))
    with building():
        runner = Runner.from_cfg(cfg)
        silence_records(runner.logger)
        _build_loops(runner)
    return runner.train()


def _build_loops(runner: Runner) -> None:
    """Build the data loaders now, so that a refused value is told apart from a failure while training."""
    assert runner.train_loop is not None
    assert runner.val_loop is not None or runner._val_loop is None


def _set_start(cfg: Config, resume: Optional[str]) -> None:
    """Choose the checkpoint to start from.

    Raises:
        UserError: If it does not exist.
    """
    if resume is not None:
        cfg.resume = True
        cfg.load_from = None if resume == 'auto' else resume
    if cfg.get('load_from'):
        check_checkpoint_path(cfg.load_from)


def _use_amp(cfg: Config) -> None:
    """Switch to mixed precision where there is a GPU.

    Raises:
        ConfigError: If the config's optimizer wrapper is a special one.
    """
    if get_device() == 'cpu':
        print_log('--amp: no GPU is seen, training in float32', 'current')
        return
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ConfigError(f'--amp replaces OptimWrapper, but optim_wrapper.type is {kind}')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    if cfg.optim_wrapper.get('dtype') != 'bfloat16':
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    print_log(f'--amp: mixed precision in {cfg.optim_wrapper.get("dtype") or "float16"} on '
              f'{torch.cuda.get_device_name() if torch.cuda.is_available() else get_device()}', 'current')


def _scale_learning_rate(cfg: Config) -> None:
    """Enable MMEngine's learning rate scaling.

    Raises:
        ConfigError: If the config does not say which batch size its learning rate belongs to.
    """
    if not cfg.get('auto_scale_lr', {}).get('base_batch_size'):
        raise ConfigError('--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config: the batch '
                          'size, over all GPUs, that its learning rate belongs to')
    cfg.auto_scale_lr.enable = True
