"""On what something was computed: machine, versions, and the state of the code."""

import os
import platform
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from sdpose.io.machine import installed_version, processor
from sdpose.version import __version__

_PACKAGES = (
    'torch',
    'torchvision',
    'mmengine',
    'mmcv',
    'mmcv-lite',
    'mmpose',
    'numpy',
    'opencv-python',
    'opencv-python-headless',
)
_CODE = Path(__file__).resolve().parents[3]


@lru_cache(maxsize=1)
def environment() -> dict[str, Any]:
    """What a result depends on beside config and data; nothing that names a machine or a user."""
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return dict(
        gpus=gpus,
        cuda=torch.version.cuda if gpus else None,
        cpu=processor(),
        cores=len(os.sched_getaffinity(0)),
        system=f'{platform.system()} {platform.machine()}',
        python=platform.python_version(),
        packages={name: found for name in _PACKAGES if (found := installed_version(name))},
        sdpose=__version__,
        commit=_commit(),
    )


def _commit() -> str:
    """The commit of the code, with a remark if files differ from it; ``unknown`` outside a clone."""
    if not (_CODE / 'setup.py').is_file():  # installed, maybe below some other project's clone
        return 'unknown'
    try:
        commit, changed = _git('rev-parse', 'HEAD'), _git('status', '--porcelain', '--untracked-files=no')
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'
    return f'{commit} with changes' if changed else commit


def _git(*command: str) -> str:
    done = subprocess.run(['git', '-C', str(_CODE), *command], capture_output=True, text=True, check=True)
    return done.stdout.strip()
