"""MMEngine's runner of a training or a test."""

import time

from mmengine.config import Config
from mmengine.runner import Runner

from .log_filters import silence_records

_last = ''  # the second of this process's last runner


def build_runner(cfg: Config) -> Runner:
    """The runner of a config, in a second of its own.

    MMEngine names a run by its config file and the second. Two of a name share their log file and what is remembered,
    so that a training in one folder takes the checkpoints of another one for its own, and removes the older.
    """
    global _last
    while _now() == _last:
        time.sleep(0.01)
    try:
        runner = Runner.from_cfg(cfg)
        _last = runner.timestamp
    except BaseException:
        _last = _now()
        raise
    silence_records(runner.logger)
    return runner


def _now() -> str:
    """The second, as MMEngine writes it."""
    return time.strftime('%Y%m%d_%H%M%S', time.localtime(time.time()))
