"""Run many trainings side by side, each in its own processes; stop cleanly, go on where they stopped."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import lru_cache
from pathlib import Path
from queue import Queue

import torch

from sdpose.errors import UserError
from sdpose.io.folders import signals_unwind

from .run import Run


class Executor:
    """Trains and evaluates runs, ``jobs`` at a time.

    Args:
        train: The command that trains, to which a config and its options are added.
        test: The command that evaluates.
        jobs: Runs at a time; with several GPUs each takes its own.
        threads: Compute threads of one run; None leaves that to torch.
        report: Called with one line about each run that ends.
    """

    def __init__(
        self, train: list[str], test: list[str], jobs: int, threads: int | None, report: Callable[[str], None]
    ) -> None:
        self.train = train
        self.test = test
        self.jobs = jobs
        self.threads = threads
        self.report = report
        self._stopped = threading.Event()
        self._children: set[subprocess.Popen] = set()
        self._slots: Queue[int] = Queue()
        for slot in range(jobs):
            self._slots.put(slot)

    def __call__(self, runs: Sequence[Run]) -> list[Run]:
        """Work on all runs; a failing one does not stop the others.

        Returns:
            The runs that failed.

        Raises:
            KeyboardInterrupt, Stopped: After every process was stopped; what was trained so far stays.
        """
        failed: list[Run] = []
        with signals_unwind(), ThreadPoolExecutor(self.jobs) as pool:
            waiting = {pool.submit(self._work, run): run for run in runs}
            try:
                while waiting:
                    # With a timeout, or the main thread would not see Ctrl-C while it waits.
                    done, _ = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
                    for future in done:
                        run = waiting.pop(future)
                        if not future.result():
                            failed.append(run)
            except BaseException:
                self._stop()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return failed

    def _work(self, run: Run) -> bool:
        slot, begin = self._slots.get(), time.monotonic()
        try:
            log = run.folder / 'run.log'
            run.folder.mkdir(parents=True, exist_ok=True)
            environment = self._environment(slot)
            resumed = bool(list(run.folder.glob('*.pth')))
            for command in run.commands(self.train, self.test):
                if not self._call(command, log, environment):
                    if not self._stopped.is_set():
                        self.report(f'FAILED {run.folder}: see {log}')
                    return False
            values = run.finish(seconds=round(time.monotonic() - begin), resumed=resumed).values()
            found = ', '.join(f'{value if run.percent else 100 * value:.1f}' for value in values)
        except (OSError, UserError, ValueError) as error:
            self.report(f'FAILED {run.folder}: {error}')
            return False
        finally:
            self._slots.put(slot)
        self.report(f'{run.folder}: {run.metric} by cycle {found} ({time.monotonic() - begin:.0f} s)')
        return True

    def _environment(self, slot: int) -> dict[str, str]:
        environment = dict(os.environ)
        if self.threads:
            # Threads that wait for each other take the cores from the loaders' processes.
            environment.update(OMP_NUM_THREADS=str(self.threads), OMP_WAIT_POLICY='PASSIVE')
        if self.jobs > 1 and torch.cuda.device_count() > 1:
            visible = os.environ.get('CUDA_VISIBLE_DEVICES')
            gpus = visible.split(',') if visible else [str(index) for index in range(torch.cuda.device_count())]
            environment['CUDA_VISIBLE_DEVICES'] = gpus[slot % len(gpus)]
        return environment

    def _call(self, command: list[str], log: Path, environment: dict[str, str]) -> bool:
        """Run one command in its own process group, its output added to a log; whether it succeeded."""
        if self._stopped.is_set():
            return False
        with open(log, 'a', encoding='utf-8') as file:
            file.write(f'$ {" ".join(command)}\n')
            file.flush()
            child = subprocess.Popen(
                [*_kill_with_parent_prefix(), *command],
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
            self._children.add(child)
            if self._stopped.is_set():  # between the question above and the start
                _end(child)
            try:
                return child.wait() == 0
            finally:
                self._children.discard(child)

    def _stop(self) -> None:
        self._stopped.set()
        for child in list(self._children):
            _end(child)


@lru_cache(maxsize=1)
def _kill_with_parent_prefix() -> tuple[str, ...]:
    """What has the kernel end a command when this process dies, however it dies; nothing where the tool cannot do it.

    After a ``kill -9`` a training would otherwise go on, and refuse its folder to the next start of the table.
    """
    prefix = ('setpriv', '--pdeathsig', 'TERM')
    if not shutil.which(prefix[0]) or subprocess.run([*prefix, 'true'], capture_output=True, check=False).returncode:
        return ()
    return prefix


def _end(child: subprocess.Popen) -> None:
    """End a command and the loaders it started."""
    try:
        os.killpg(child.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
