"""The parts that must work together, each with its version, its known conflict and the cure.

Whatever can crash is imported in a process of its own; this module needs the standard library only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import environment

REINSTALL = 'bash tools/install.sh'
GPUS = 'import torch; print(", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())))'
# What is tried, each in its own process; the last line it prints is shown.
TRIALS = {
    'numpy': 'import numpy',
    'xtcocotools': 'import numpy, xtcocotools.mask, xtcocotools.coco',
    'cv2': 'import cv2',
    'torch': GPUS,
    'torchvision': 'import torch, torchvision',
    'sdpose': 'import sdpose, mmpose.apis',
}
OPS = 'import mmcv.ops'


@dataclass
class Row:
    """One line of the table; ``state`` is ok, BROKEN, absent (and not needed) or note."""

    name: str
    found: str
    wanted: str
    state: str = 'ok'
    remark: str = ''
    cure: str = ''


@dataclass
class Trial:
    """What importing something gave."""

    works: bool
    said: str


def run_trials() -> dict[str, Trial]:
    """Import everything in one process; only if that fails, each part in its own, to see which it was."""
    together = '; '.join(code for name, code in TRIALS.items() if name != 'torch')
    ops = {'mmcv ops': OPS} if environment.version_of('mmcv') else {}
    results = run_at_once({'all': f'{together}; {GPUS}', **ops})
    everything = results.pop('all')
    if everything.works:
        return {**results, **dict.fromkeys(TRIALS, everything)}
    return {**results, **run_at_once(TRIALS)}


def run_at_once(codes: dict[str, str]) -> dict[str, Trial]:
    """Run pieces of Python at the same time, each in its own process."""
    env = {**os.environ, 'OMP_NUM_THREADS': '1'}
    running = {
        name: subprocess.Popen(
            [sys.executable, '-c', code],
            env=env,
            stdin=subprocess.DEVNULL,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name, code in codes.items()
    }
    results = {}
    for name, process in running.items():
        out, err = process.communicate()
        lines = (out if process.returncode == 0 else err or f'ended with status {process.returncode}').strip()
        results[name] = Trial(process.returncode == 0, lines.splitlines()[-1] if lines else '')
    return results


def python_row() -> Row:
    """Python itself."""
    version = '.'.join(map(str, sys.version_info[:3]))
    lowest, highest = environment.PYTHONS
    row = Row('python', version, '3.10 to 3.12')
    if not lowest <= sys.version_info[:2] <= highest:
        row.state, row.cure = 'BROKEN', 'bash tools/install.sh --python python3.11 (into another folder)'
    return row


def package_row(name: str, wanted: str) -> Row:
    """A distribution by its version alone."""
    version = environment.version_of(name)
    row = Row(name, version or '-', wanted.replace('==', '') or 'any')
    if version is None:
        row.state, row.remark, row.cure = 'BROKEN', 'missing', REINSTALL
    elif wanted and not environment.satisfies(version, wanted):
        row.state, row.remark, row.cure = 'BROKEN', 'wrong version', f'pip install "{name}{wanted}"'
    return row


def add_trial(row: Row, trial: Trial, cure: str, remark: str = '') -> Row:
    """Mark a row broken whose import fails."""
    if row.state == 'ok' and not trial.works:
        row.state, row.remark, row.cure = 'BROKEN', trial.said, cure
    elif row.state == 'ok':
        row.remark = remark
    return row


def torch_rows(trials: dict[str, Trial]) -> list[Row]:
    """torch, its torchvision and the GPU."""
    torch = add_trial(package_row('torch', '>=2.4'), trials['torch'], REINSTALL)
    vision = package_row('torchvision', '>=0.19')
    if torch.state == 'ok':
        vision.wanted = environment.torchvision_for(torch.found)
        if vision.state == 'ok' and not trials['torchvision'].works:
            vision.state, vision.remark = 'BROKEN', trials['torchvision'].said
            vision.cure = (
                f'torchvision imports only beside the torch build it was made for: {REINSTALL}, or '
                f'pip install "torchvision=={vision.wanted}" from where torch {torch.found} came from'
            )
    gpu = Row('GPU', trials['torch'].said if torch.state == 'ok' and trials['torch'].said else 'none seen', '-', 'note')
    if gpu.found == 'none seen':
        gpu.remark = 'training runs on the CPU'
    return [torch, vision, gpu]


def opencv_row(trials: dict[str, Trial]) -> Row:
    """OpenCV under either of its names."""
    name = next(
        (
            name
            for name in ('opencv-python', 'opencv-python-headless', 'opencv-contrib-python')
            if environment.version_of(name)
        ),
        'opencv-python',
    )
    cure = REINSTALL
    if 'lib' in trials['cv2'].said:
        cure = f'pip uninstall {name}; pip install opencv-python-headless (needs no libGL), or {REINSTALL}'
    return add_trial(package_row(name, '>=4.7'), trials['cv2'], cure)


def mmcv_rows(trials: dict[str, Trial]) -> list[Row]:
    """mmcv, lite or full, its compiled ops, and mmdet, which nothing needs."""
    full, lite = environment.version_of('mmcv'), environment.version_of('mmcv-lite')
    row = package_row('mmcv' if full else 'mmcv-lite', '>=2.0.1,<3')
    if full and lite:
        row.state, row.remark = 'BROKEN', f'mmcv-lite {lite} lies over it'
        row.cure = 'pip uninstall mmcv-lite mmcv; then install one of them'
    works = full is not None and trials['mmcv ops'].works
    ops = Row('compiled ops', 'yes' if works else 'no', '-', 'note')
    if full and not lite and not works:
        ops.state, ops.remark = 'BROKEN', trials['mmcv ops'].said
        ops.cure = 'mmcv was compiled against another torch: pip uninstall mmcv; bash tools/install.sh'
    elif not full:
        ops.remark = 'not needed here; come with full mmcv'
    mmdet = environment.version_of('mmdet')
    return [row, ops, Row('mmdet', mmdet or '-', '-', 'note', '' if mmdet else 'not needed here')]


def mmpose_row() -> Row:
    """mmpose, and the dependency that it only lists."""
    row = package_row('mmpose', '==1.3.2')
    if row.state == 'ok' and environment.version_of('chumpy') is None:
        row.remark = 'pip check names chumpy: never imported'
    row.cure = row.cure and 'pip install --no-deps mmpose==1.3.2 (its chumpy cannot be built)'
    return row


def xtcocotools_row(trials: dict[str, Trial]) -> Row:
    """xtcocotools, whose binary fits the NumPy it was built against."""
    numpy = environment.version_of('numpy')
    cure = (
        'pip install --force-reinstall --no-deps --no-build-isolation --no-cache-dir --no-binary xtcocotools '
        f'xtcocotools==1.14.3 (builds it against NumPy {numpy}; its wheel needs NumPy 1)'
    )
    return add_trial(package_row('xtcocotools', '>=1.12'), trials['xtcocotools'], cure, f'fits numpy {numpy}')


def setuptools_row() -> Row:
    """setuptools, whose pkg_resources MMEngine imports."""
    row = package_row('setuptools', '<81')
    if row.state == 'BROKEN':
        row.remark, row.cure = 'pkg_resources is gone, mmengine needs it', 'pip install "setuptools<81"'
    return row


def project_row(trials: dict[str, Trial], others_work: bool) -> Row:
    """The project itself."""
    version = environment.version_of('sdpose')
    row = Row('sdpose', version or 'not installed', 'any')
    add_trial(row, trials['sdpose'], REINSTALL if others_work else 'cure the others first')
    if row.state == 'ok' and version is None:
        row.state, row.remark = 'note', 'imported from the path'
    return row


def all_rows() -> list[Row]:
    """The whole table."""
    trials = run_trials()
    wanted = dict(environment.requirements('mminstall', 'build', 'runtime'))
    shown = ('torch', 'torchvision', 'setuptools', 'opencv-python', 'cython', 'wheel')
    plain = [name for name, _ in environment.requirements('runtime') if name not in shown and name != 'numpy']
    rows = [
        python_row(),
        setuptools_row(),
        *torch_rows(trials),
        add_trial(package_row('numpy', wanted['numpy']), trials['numpy'], REINSTALL),
        opencv_row(trials),
        *mmcv_rows(trials),
        mmpose_row(),
        xtcocotools_row(trials),
    ]
    rows += [package_row(name, wanted[name]) for name in plain]
    incomplete = {item.partition('==')[0] for item in environment.incomplete(environment.needed())}
    for row in rows:
        if row.state == 'ok' and environment.canonical(row.name) in incomplete:
            row.state, row.remark, row.cure = 'BROKEN', 'files are missing', REINSTALL
    rows.append(project_row(trials, not any(row.state == 'BROKEN' for row in rows)))
    return rows
