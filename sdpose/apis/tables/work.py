"""Training what is missing: data first, teachers before students, one start in a folder at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from sdpose.apis.format_only import use_format_only, use_test_dev
from sdpose.config.options import prepare
from sdpose.errors import UserError
from sdpose.io.lock import lock_work_dir
from sdpose.preflight import check_all

from .data import draw
from .execute import Executor
from .run import Run, united
from .setting import Setting


@dataclass(frozen=True)
class Means:
    """How trainings are run.

    Attributes:
        train: The command that trains, to which a config and options are added.
        test: The command that evaluates.
        say: Receives one line at a time about the progress.
        jobs: Trainings at a time.
        gpus: Processes of one training.
        any_data: Take the data as they are: neither draw nor refuse them.
    """

    train: list[str]
    test: list[str]
    say: Callable[[str], None]
    jobs: int = 1
    gpus: int = 1
    any_data: bool = False


def require_means(means: Means, seeds: int) -> None:
    """Refuse numbers that make no sense, or more GPUs than there are.

    Raises:
        UserError: If so.
    """
    for option, value in (('--seeds', seeds), ('--jobs', means.jobs)):
        if value < 1:
            raise UserError(f'{option} {value}: give at least 1')
    if means.gpus < 1 or (means.gpus > 1 and means.jobs > 1):
        raise UserError(f'--gpus {means.gpus}: give at least 1, and more than 1 only with --jobs 1')
    there = torch.cuda.device_count()
    if means.gpus > max(there, 1):
        raise UserError(f'--gpus {means.gpus}: this machine has {there}')


def work(setting: Setting, runs: Sequence[Run], means: Means) -> list[Run]:
    """Train and evaluate the runs that are not finished, their teachers first.

    Returns:
        The runs that failed.

    Raises:
        UserError: If the data are missing or damaged, or another start is at work in the folder.
    """
    missing = united(run for run in runs if not run.finished())
    if not missing:
        return []
    if not means.any_data:
        draw(setting.data, setting.root, means.say)
    _check(missing[0], setting.root)
    teachers = united(run.teacher for run in missing if run.teacher and not run.teacher.finished())
    folders = {run.folder for run in teachers}
    first = united([*teachers, *(run for run in missing if run.folder in folders)])
    failed: list[Run] = []
    with lock_work_dir(setting.run_folders.folder):
        for part in filter(None, (first, [run for run in missing if run.folder not in folders])):
            report = _counting(means.say, len(part))
            failed += Executor(means.train, means.test, means.jobs, setting.scale.threads, report)(part)
    return failed


def _check(run: Run, root: str) -> None:
    """Check the data once, and before anything is trained: a training would find the same fault after hours."""
    check_all(prepare(run.config, cfg_options=run.overrides), ('train', 'test'))
    if run.test_dev:
        cfg = prepare(run.config, cfg_options=run.overrides)
        use_test_dev(cfg, root)
        use_format_only(cfg, str(run.submission))
        check_all(cfg, ('test',))


def _counting(say: Callable[[str], None], total: int) -> Callable[[str], None]:
    """A reporter that counts what has ended."""
    ended: list[str] = []

    def report(line: str) -> None:
        ended.append(line)
        say(f'[{len(ended)}/{total}] {line}')

    return report
