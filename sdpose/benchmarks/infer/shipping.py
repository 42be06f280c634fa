"""What an exported folder costs a device besides time: bytes, memory, and the wait until the first joint."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import files
from pathlib import Path
from typing import Any

import torch

from sdpose.benchmarks.table import Table
from sdpose.deploy.export.request import ExportRequest
from sdpose.deploy.export.run import export

from .subjects import Subject
from .variants import Plan

# In a process of its own, as on a device: from its start to the joints of one person.
_FIRST_JOINT = """
import json, sys, time
began = time.perf_counter()
import numpy as np
from pose_runtime import PoseRuntime
pose = PoseRuntime(sys.argv[1], threads=int(sys.argv[2]))
pose.predict(np.zeros((480, 640, 3), np.uint8), np.array([[100.0, 50.0, 300.0, 400.0]]))
waited = time.perf_counter() - began
assert 'torch' not in sys.modules
held = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))  # KiB
print(json.dumps([waited, int(held.split()[1]) / 1024]))
"""
_RUNTIMES = {'onnx': 'onnxruntime', 'openvino': 'openvino'}
_STARTS = 3


def table(subjects: Sequence[Subject], plan: Plan, where: str) -> Table:
    """One row per model and runtime that the runtime module knows.

    Args:
        subjects: Models of this project.
        plan: Runtimes and threads.
        where: The machine.
    """
    rows = [row for subject in subjects for row in _rows(subject, plan)]
    notes = (
        f'{plan.threads} thread(s); {where}.',
        f'A new process imports pose_runtime.py and finds the joints of one person; the best of {_STARTS} starts, from '
        'the first import. Memory is the most that the process held. "Packages": NumPy, OpenCV and the runtime.',
    )
    columns = ('model', 'runtime', 'folder MiB', 'packages MiB', 'first joint s', 'memory MiB')
    return Table('What is shipped', columns, rows, notes)


def _rows(subject: Subject, plan: Plan) -> Iterator[dict[str, Any]]:
    names = [name for name in plan.runtimes if name in _RUNTIMES]
    if subject.cfg is None or not names or subject.cfg.model.head.type == 'TokenClsHead':
        return
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = subject.checkpoint
        if checkpoint is None:
            checkpoint = str(Path(folder) / 'random.pth')
            torch.save({'state_dict': subject.model.state_dict()}, checkpoint)
        for name in names:
            out = Path(folder) / name
            export(str(subject.cfg.filename), checkpoint, str(out), ExportRequest((name,)))
            waited, memory = min(_start(out, plan.threads) for _ in range(_STARTS))
            packages = sum(_megabytes(each) for each in ('numpy', 'opencv-python', _RUNTIMES[name]))
            yield {
                'model': subject.name,
                'runtime': _RUNTIMES[name],
                'folder MiB': round(sum(file.stat().st_size for file in out.iterdir()) / 2**20, 1),
                'packages MiB': round(packages),
                'first joint s': round(waited, 2),
                'memory MiB': round(memory),
            }


def _start(folder: Path, threads: int) -> tuple[float, float]:
    """Seconds until the first joint, and MiB that the process held."""
    command = [sys.executable, '-c', _FIRST_JOINT, '.', str(threads)]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    waited, memory = json.loads(done.stdout.splitlines()[-1])
    return waited, memory


def _megabytes(package: str) -> float:
    """What an installed package takes on a disk."""
    found = (Path(str(file.locate())) for file in files(package) or ())
    return sum(file.stat().st_size for file in found if file.is_file()) / 2**20
