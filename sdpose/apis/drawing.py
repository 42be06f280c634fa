"""Drawing of predictions during an evaluation: whether a window can be opened, and where pictures go."""

import math
import os
import subprocess
import sys
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from sdpose.compat.drawing import give_windows_fonts
from sdpose.errors import ConfigError, UserError
from sdpose.io.folders import require_writable

# In a process of its own: Qt ends the one that finds no display, without an exception.
_TRY = 'import cv2; cv2.namedWindow("SDPose"); cv2.destroyAllWindows()'
_SECONDS = 60


def check_drawing(cfg: Config) -> None:
    """Check what a config's visualization hook asks for, whether by options or in the config's own words.

    In a training its pictures are drawn by a hook that writes where it is told to, in place of MMPose's.

    Raises:
        ConfigError: If a value is out of its range, or validation pictures are asked for and there is no validation.
        UserError: If windows are asked for and none can be opened.
    """
    hook = cfg.default_hooks.get('visualization')
    if not hook or not hook.get('enable'):
        return
    interval, wait = hook.get('interval', 1), hook.get('wait_time', 0)
    if not isinstance(interval, int) or interval < 1:
        raise ConfigError(f'--interval {interval} (default_hooks.visualization.interval): give a whole number from 1')
    if not isinstance(wait, (int, float)) or not 0 <= wait < math.inf:
        raise ConfigError(f'--wait-time {wait} (default_hooks.visualization.wait_time): give seconds, 0 for a key')
    if hook.get('show'):
        require_display()
    if hook.get('type') == 'PoseVisualizationHook':
        hook['type'] = 'PosePictureHook'


def require_validation(cfg: Config) -> None:
    """Refuse to draw the predictions of a training without validation.

    Raises:
        ConfigError: If so.
    """
    hook = cfg.default_hooks.get('visualization') or {}
    if hook.get('enable') and not cfg.get('val_dataloader'):
        raise ConfigError('--show and --show-dir draw validation predictions, and this training has no validation')


def require_picture_folder(runner: Runner, show_dir: str | None) -> None:
    """Check that pictures can be written, before hours of work.

    Args:
        runner: The runner, which knows the folder of its log.
        show_dir: Where pictures go, below that; None for nowhere.

    Raises:
        UserError: If they cannot.
    """
    if show_dir is not None and runner.rank == 0:
        require_writable(Path(runner.log_dir, show_dir), f'--show-dir {show_dir}')


def say_picture_folder(runner: Runner, show_dir: str | None) -> None:
    """Log where the pictures are."""
    if show_dir is not None and runner.rank == 0:
        print_log(f'pictures: {os.path.join(runner.log_dir, show_dir)}', runner.logger)


def require_display(instead: str = 'write pictures with --show-dir FOLDER') -> None:
    """Try to open a window, and have fonts ready for the next ones.

    Args:
        instead: What the message offers in place of windows.

    Raises:
        UserError: If that does not work.
    """
    try:
        tried = subprocess.run([sys.executable, '-c', _TRY], capture_output=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        tried = None
    if tried is None or tried.returncode:
        display = os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
        seen = f'the display {display} does not answer' if display else 'DISPLAY is not set'
        raise UserError(
            f'--show opens windows, and none can be opened here ({seen}, or OpenCV was built without windows): '
            f'{instead}, or log in with a display (ssh -X)'
        )
    give_windows_fonts()
