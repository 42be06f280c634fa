"""Options that training and testing share, merged into a config."""

import os
from pathlib import Path
from typing import Optional

from mmengine.config import Config

from sdpose.errors import ConfigError
from sdpose.evaluation import use_ground_truth_boxes


def set_work_dir(cfg: Config, config_path: str, work_dir: Optional[str]) -> None:
    """Choose where a run writes: the option, else the config's ``work_dir``, else ``work_dirs/<config name>``."""
    cfg.work_dir = work_dir or cfg.get('work_dir') or os.path.join('work_dirs', Path(config_path).stem)


def set_launcher(cfg: Config, launcher: str, local_rank: int) -> None:
    """Choose how processes find each other; ``torch.distributed.launch`` passes the rank as an argument."""
    cfg.launcher = launcher
    os.environ.setdefault('LOCAL_RANK', str(local_rank))


def set_ground_truth_boxes(cfg: Config) -> None:
    """Evaluate on annotated boxes instead of a detector's."""
    for split in ('val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader:
            use_ground_truth_boxes(loader.dataset)


def set_strictness(cfg: Config, allow_partial: bool) -> None:
    """Demand that checkpoints fill the model, in configs without our runtime base too."""
    hooks = cfg.setdefault('default_hooks', {})
    hooks.setdefault('strict_load', dict(type='StrictLoadHook'))
    if allow_partial:
        hooks.strict_load.allow_partial = True


def set_drawing(cfg: Config, show: bool, show_dir: Optional[str], interval: int, wait_time: float) -> None:
    """Draw predictions during evaluation.

    Raises:
        ConfigError: If the config lacks MMPose's visualization hook.
    """
    if not show and show_dir is None:
        return
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None:
        raise ConfigError('--show and --show-dir need default_hooks.visualization=dict(type="PoseVisualizationHook") '
                          'in the config')
    hook.update(enable=True, show=show, out_dir=show_dir, interval=interval)
    if show:
        hook.wait_time = wait_time
