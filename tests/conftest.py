"""Fixtures of the whole suite."""

import logging
import os
import signal
import site
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.logging import MMLogger

from sdpose.deploy.runtime import keep_telemetry_off

_ROOT = Path(__file__).resolve().parent.parent

# The machine's cores are shared between the suite's workers, and between the subprocesses that they start.
torch.set_num_threads(1)

# A report would be sent from a fork of this process, at each import of OpenVINO and each conversion.
keep_telemetry_off()

# A script's background jobs start with Ctrl-C ignored; the tests that send it expect what a terminal gives.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many comparisons with the released code were left out, and why."""
    run, skipped = (
        [report for report in terminalreporter.getreports(outcome) if 'parity' in getattr(report, 'keywords', {})]
        for outcome in ('passed', 'skipped')
    )
    if run or skipped:
        terminalreporter.write_line(f'parity tests: {len(run)} passed, {len(skipped)} skipped')
    for reason, count in Counter(report.longrepr[2] for report in skipped).items():
        terminalreporter.write_line(f'  {count} skipped: {reason}')


@pytest.fixture(autouse=True)
def close_log_files() -> Iterator[None]:
    """Close the log files that a test's Runner opened, else the next test of this process writes them, too."""
    yield
    for logger in MMLogger._instance_dict.values():
        for handler in [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]:
            logger.removeHandler(handler)
            handler.close()


@pytest.fixture(scope='session')
def repo_root() -> Path:
    """The checkout."""
    return _ROOT


@pytest.fixture(scope='session')
def tool_env() -> dict:
    """The environment of a tool that is run as a subprocess: this checkout, one thread, no GPU."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(('PYTEST_', 'COV_'))}
    for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT'):
        env.pop(name, None)
    search = [str(_ROOT), *filter(None, [env.get('PYTHONPATH')])]
    return {**env, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': '', 'PYTHONPATH': os.pathsep.join(search)}


@pytest.fixture(scope='session')
def run_tool(tool_env: dict) -> Callable[..., subprocess.CompletedProcess]:
    """Run a Python tool, ``run_tool('tools/test.py', config, cwd=folder)``, with this interpreter.

    A path is taken from the checkout; ``-c`` or ``-m`` pass through. Further arguments: ``cwd`` (default: the
    checkout), ``env`` (added to the tool's environment), ``timeout`` in seconds, ``check`` (default False:
    the caller looks at ``returncode``). The result holds ``stdout`` and ``stderr`` as text.
    """

    def run(
        tool: str, *args: Any, cwd: Any = _ROOT, env: Any = None, timeout: float = 300, check: bool = False
    ) -> subprocess.CompletedProcess:
        target = tool if tool.startswith('-') else str(_ROOT / tool)
        done = subprocess.run(
            [sys.executable, target, *map(str, args)],
            cwd=cwd,
            env={**tool_env, **(env or {})},
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            raise AssertionError(f'{tool} ended with {done.returncode}\n{done.stdout}\n{done.stderr}')
        return done

    return run


@pytest.fixture
def new_home(tmp_path: Path) -> dict[str, str]:
    """An environment whose home, ``tmp_path/home``, is empty; packages that lie in the old one are found."""
    (tmp_path / 'home').mkdir()
    return {'HOME': str(tmp_path / 'home'), 'PYTHONUSERBASE': site.getuserbase()}
