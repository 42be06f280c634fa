"""Training from a config file; what ``tools/train.py`` runs."""

import logging
import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn

from sdpose.compat.saving import find_latest_checkpoint
from sdpose.compat.workers import ending_workers
from sdpose.config.building import building, building_late
from sdpose.config.nodes import is_first_process
from sdpose.config.options import prepare
from sdpose.engine.hooks.finite_loss_hook import name_broken_loss
from sdpose.engine.stopping import stoppable
from sdpose.engine.validation_record import NAME as VALIDATIONS
from sdpose.errors import ConfigError
from sdpose.io.lock import lock_work_dir
from sdpose.preflight import check_all
from sdpose.preflight.first_sample import check_first_sample
from sdpose.preflight.step_options import warn_of_accumulation

from .drawing import check_drawing, require_picture_folder, require_validation, say_picture_folder
from .overfit import prepare_overfit, say_whether_learned
from .precision import set_training_precision
from .runners import build_runner


def train(
    config: str,
    resume: str | None = None,
    amp: bool = False,
    no_validate: bool = False,
    auto_scale_lr: bool = False,
    skip_checks: bool = False,
    overfit: int | None = None,
    **run: Any,
) -> nn.Module:
    """Train a model.

    Args:
        config: A config file, or the name of one of the package's configs.
        resume: ``'auto'`` for the newest checkpoint of the work folder, or a checkpoint's path.
        amp: Mixed precision; without a GPU float32, or bfloat16 where the config says so, which is said in a line.
        no_validate: Do not evaluate during training.
        auto_scale_lr: Scale the learning rate by the actual over the config's base batch size.
        skip_checks: Do not look at data, checkpoint and config before the run.
        overfit: Train on so many people alone until they are learned, see :func:`sdpose.apis.overfit.overfit`.
        **run: As :func:`sdpose.config.options.prepare`: ``work_dir``, ``gt_bbox``, ``cfg_options`` and others.

    Returns:
        The trained model.

    Raises:
        UserError: For anything the user can cure: a path, a config key, the data, a checkpoint.
        Stopped: If SIGTERM or SIGHUP asked for the end; what was trained is saved.
    """
    cfg = prepare(config, **run) if overfit is None else prepare_overfit(config, overfit, **run)
    if no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    require_validation(cfg)
    check_drawing(cfg)
    _refuse_folders(cfg)
    _set_start(cfg, _after_restart(cfg, resume))
    set_training_precision(cfg, amp)
    _pin_batches(cfg)
    if auto_scale_lr:
        _scale_learning_rate(cfg)
    check_all(cfg, ('train', 'val') if cfg.get('val_dataloader') else ('train',), skip_checks)
    with stoppable(), lock_work_dir(cfg.work_dir) if is_first_process(cfg) else nullcontext():
        with building():
            runner = build_runner(cfg)
            # Builds these now, so that a refused value is told apart from a failure while training.
            _ = runner.train_loop, runner.val_loop
            _require_batches(runner)
            _require_ends(runner)
            _warn_of_accumulation(runner, cfg)
            with building('optim_wrapper'):
                runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
            require_picture_folder(runner, run.get('show_dir'))
        _try_first_samples(runner, skip_checks)
        with building_late(), name_broken_loss(runner), ending_workers(runner):
            model = runner.train()
        if overfit is not None:
            say_whether_learned(runner)
        say_picture_folder(runner, run.get('show_dir'))
        return model


def _pin_batches(cfg: Config) -> None:
    """Have images loaded into memory that a GPU reads while the host goes on, unless the config says otherwise."""
    if torch.cuda.is_available():  # elsewhere torch warns, and pins nothing
        cfg.train_dataloader.setdefault('pin_memory', True)


def _try_first_samples(runner: Runner, skip_checks: bool) -> None:
    """Make a sample of each data set, unless no check is wanted."""
    loops = (('train', runner.train_loop), ('val', runner.val_loop)) if not skip_checks else ()
    for split, loop in loops:
        if loop is not None:
            check_first_sample(loop.dataloader, runner.model, f'{split}_dataloader')


def _require_batches(runner: Runner) -> None:
    """Refuse training data that make no whole batch, where incomplete ones are dropped: no step would be taken.

    Raises:
        ConfigError: If so.
    """
    loader = runner.train_dataloader
    if len(loader) == 0:
        raise ConfigError(
            f'the {len(loader.sampler)} training samples per process are less than a batch of '
            f'{loader.batch_size}, and incomplete batches are dropped: set train_dataloader.batch_size '
            'to less, or train_dataloader.drop_last to False'
        )


def _require_ends(runner: Runner) -> None:
    """Refuse samplers that never end where a loop waits for the end of an epoch, or of a validation.

    Raises:
        ConfigError: If there is one.
    """
    loops = dict(train=runner.train_loop if isinstance(runner.train_loop, EpochBasedTrainLoop) else None)
    loops['val'] = runner.val_loop
    for split, loop in loops.items():
        if loop is not None and isinstance(getattr(loop.dataloader, 'sampler', None), InfiniteSampler):
            raise ConfigError(
                f'{split}_dataloader.sampler is an InfiniteSampler, which never ends, but {split}_cfg counts whole '
                'passes over the data: take a DefaultSampler, or an IterBasedTrainLoop to train'
            )


def _warn_of_accumulation(runner: Runner, cfg: Config) -> None:
    wrapper = cfg.get('optim_wrapper') or {}
    if isinstance(runner.train_loop, EpochBasedTrainLoop):
        warn_of_accumulation(wrapper.get('accumulative_counts', 1), len(runner.train_dataloader))


def _refuse_folders(cfg: Config) -> None:
    """Refuse a work folder where a folder has the name of a file that a training writes, before it is trained.

    Raises:
        ConfigError: If so.
    """
    written = ('*.pth', 'last_checkpoint', VALIDATIONS, Path(cfg.filename).name)
    folders = [path for name in written for path in sorted(Path(cfg.work_dir).glob(name)) if path.is_dir()]
    if folders:
        raise ConfigError(
            f'{folders[0]} is a folder, and a file of that name is to be written: move or rename it, or name another '
            '--work-dir'
        )


def _after_restart(cfg: Config, resume: str | None) -> str | None:
    """What to resume: as asked for, but the newest checkpoint of this very run if its launcher has started it again.

    torchrun does so after a process has failed, Slurm after it has preempted a job.
    """
    if resume is None and cfg.get('resume') and not cfg.get('load_from'):
        resume = 'auto'  # in the config's own words
    restarts = ['TORCHELASTIC_RESTART_COUNT'] + ['SLURM_RESTART_COUNT'] * (cfg.launcher == 'slurm')
    if not any(int(os.environ.get(name, 0)) for name in restarts):
        return resume
    newest = find_latest_checkpoint(cfg.work_dir)
    launched = float(os.environ.get('SDPOSE_LAUNCHED', 0))  # before this, another run wrote into the folder
    return newest if newest and os.stat(newest).st_mtime >= launched else resume


def _set_start(cfg: Config, resume: str | None) -> None:
    """Choose the checkpoint to start from.

    Raises:
        UserError: If it does not exist.
    """
    if resume == 'auto':
        newest = find_latest_checkpoint(cfg.work_dir)
        # An empty work folder starts as the config says, with its load_from: what a job that is queued again wants.
        cfg.resume = newest is not None
        cfg.load_from = newest or cfg.get('load_from')
        if newest is None:
            print_log(
                f'--resume: {cfg.work_dir} holds no checkpoint yet, starting from '
                f'{cfg.load_from or "the initial weights"}',
                'current',
            )
    elif resume is not None:
        cfg.resume, cfg.load_from = True, resume
    else:
        _warn_of_earlier_run(cfg)
    if cfg.get('resume'):
        _say_if_at_end(cfg)


def _warn_of_earlier_run(cfg: Config) -> None:
    """Say so if a new training will leave its checkpoints among those of another."""
    earlier = sorted(path.name for path in Path(cfg.work_dir).glob('*.pth'))
    if earlier and is_first_process(cfg):
        print_log(
            f'{cfg.work_dir} holds checkpoints of an earlier run ({", ".join(earlier[:3])}'
            f'{" ..." if len(earlier) > 3 else ""}), and this one starts anew among them: --resume goes on from '
            'the newest, --work-dir names another folder',
            'current',
            logging.WARNING,
        )


def _say_if_at_end(cfg: Config) -> None:
    """Say so if the checkpoint to resume from is, by its name, the run's last: nothing would seem to happen."""
    found = re.fullmatch(r'(epoch|iter)_(\d+)\.pth', Path(cfg.load_from).name)
    if found is None:
        return
    end = cfg.train_cfg.get(f'max_{found[1]}s')
    if end is not None and int(found[2]) >= end and is_first_process(cfg):
        print_log(
            f'{cfg.load_from} is the end of this training (train_cfg.max_{found[1]}s={end}): nothing is left to train',
            'current',
            logging.WARNING,
        )


def _scale_learning_rate(cfg: Config) -> None:
    """Enable MMEngine's learning rate scaling.

    Raises:
        ConfigError: If the config does not say which batch size its learning rate belongs to.
    """
    if not (cfg.get('auto_scale_lr') or {}).get('base_batch_size'):
        raise ConfigError(
            '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config: the batch '
            'size, over all GPUs, that its learning rate belongs to'
        )
    cfg.auto_scale_lr.enable = True
