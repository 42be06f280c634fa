"""Every benchmark that a GPU can run in a given time: the most important first, each written as soon as it is done."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sdpose.errors import UserError
from sdpose.io.atomic import atomic_write
from sdpose.io.folders import require_writable

from .device import check_device
from .train.measure import BASELINE

SUMMARY = 'summary.md'
_MODELS = tuple(
    f'{name}_{backbone}_8xb{batch}-300e_coco-256x192'
    for name, backbone, batch in (
        *(('sdpose-s-v1', 'stemnet', 64), ('sdpose-s-v2', 'stemnet', 24)),
        *(('sdpose-t', 'stemnet', 64), ('sdpose-b', 'hrnet-w32', 32)),
    )
)
_TINY = ('sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48',)
_ROWS = 3  # of the table of trainings
_START = 45  # seconds of a training before its first step and behind its last
_SHARE = 0.8  # of the measured speed that a training with its loader is taken to reach
_LEAST_EPOCHS, _ENOUGH_EPOCHS, _MOST_EPOCHS, _MOST_SEEDS = 3, 15, 60, 10
_PEOPLE = 25000  # labelled, of the drawn pictures that the table is trained on
_LEAST = 20  # seconds, below which nothing is begun


class Part(NamedTuple):
    """A command.

    Attributes:
        name: Of its files.
        command: Behind Python; empty if there is too little time for it.
    """

    name: str
    command: list[str]


class Request(NamedTuple):
    """What to run.

    Attributes:
        out: The folder of all results.
        minutes: Time for everything.
        device: ``'cuda'``, or ``'cpu'`` to see it run.
        small: Tiny models, data and schedules instead.
    """

    out: Path
    minutes: float
    device: str
    small: bool


def run_parts(request: Request, tools: Path, say: Callable[[str], None]) -> Path:
    """Run one part after the other until the time is over.

    A part that fails, or that the time cuts off, is said, and the next one begins; what it wrote stays.

    Args:
        request: What to run.
        tools: The folder of the command-line tools.
        say: Receives a line for each part.

    Returns:
        The summary: the state of each part, and every table.

    Raises:
        UserError: If the folder cannot be written, or the device is not there.
    """
    if request.minutes <= 0:
        raise UserError(f'--minutes must be above 0, not {request.minutes:g}')
    check_device(request.device, ('bf16',))
    require_writable(request.out, f'--out {request.out}')
    end = time.monotonic() + 60 * request.minutes
    states: dict[str, str] = {}
    for part in _parts(request, tools, lambda: end - time.monotonic()):
        states[part.name] = _run(part, request.out, end - time.monotonic())
        say(f'{part.name}: {states[part.name]}')
        _summarize(request, states)
    return request.out / SUMMARY


def _run(part: Part, out: Path, seconds: float) -> str:
    """Run a part; how it ended."""
    if seconds < _LEAST or not part.command:
        return 'not begun, too little time is left'
    start = time.monotonic()
    with open(out / f'{part.name}.log', 'w', encoding='utf-8') as log:
        try:
            done = subprocess.run(
                [sys.executable, *part.command], stdout=log, stderr=subprocess.STDOUT, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return f'cut off after {seconds:.0f} s, the time is over'
    took = f'{time.monotonic() - start:.0f} s'
    return f'done in {took}' if done.returncode == 0 else f'failed after {took}, see {part.name}.log'


def _parts(request: Request, tools: Path, left: Callable[[], float]) -> Iterator[Part]:
    """The parts, the later ones sized by what the earlier ones measured."""
    models = _TINY if request.small else _MODELS
    yield Part('machine', [str(tools / 'misc/doctor.py')])
    for model in models:
        yield _train(request, tools, f'train_{_short(model)}', model, 64, '--without-baseline', '--compile')
    yield _train(request, tools, f'train_{_short(models[0])}_large', models[0], 512, '--without-baseline', '--compile')
    for model in models:
        yield _infer(request, tools, model)
    yield _train(request, tools, f'train_{_short(models[0])}_released', models[0], 64)
    yield from _table(request, tools, left)


def _short(model: str) -> str:
    return model.split('_')[0]


def _benchmark(request: Request, tools: Path, name: str, subject: str, *options: str) -> Part:
    files = [f'--{kind}={request.out / name}.{suffix}' for kind, suffix in (('json', 'json'), ('markdown', 'md'))]
    quick = ['--quick'] if request.small else []
    device = ['--device', request.device]
    return Part(name, [str(tools / 'analysis_tools/benchmark.py'), subject, *options, *device, *files, *quick])


def _train(request: Request, tools: Path, name: str, model: str, batch: int, *flags: str) -> Part:
    precisions = ['bf16', 'tf32', 'fp32'] if request.device == 'cuda' else ['bf16', 'fp32']
    size = 2 if request.small else batch
    return _benchmark(request, tools, name, 'train', model, '--batch', str(size), *flags, '--precisions', *precisions)


def _infer(request: Request, tools: Path, model: str) -> Part:
    precisions = ['bf16', 'tf32', 'fp32'] if request.device == 'cuda' else ['bf16', 'fp32']
    batches = ['1', '2'] if request.small else ['1', '64', '512']
    name = f'infer_{_short(model)}'
    options = ['--batches', *batches, '--compile', '--precisions', *precisions]
    return _benchmark(request, tools, name, 'infer', model, *options)


def _table(request: Request, tools: Path, left: Callable[[], float]) -> Iterator[Part]:
    """Trainings on drawn people, as many and as long as the time allows."""
    command = [str(tools / 'analysis_tools/run_table.py'), 'card', '--work-dir', str(request.out / 'tables')]
    if request.small:
        people = request.out / 'people'
        sizes = ['--num-train', '6', '--num-val', '2', '--size', '320x240', '--level', 'starter']
        yield Part('people', [str(tools / 'dataset_tools/make_synthetic.py'), '--out', str(people), *sizes])
        options = ['train_cfg.max_epochs=1', 'param_scheduler.1.end=1', 'param_scheduler.1.T_max=1']
        data = ['--scale', 'mini', '--seeds', '1', '--data-root', f'{people}/', '--any-data']
        yield Part('table', [*command, *data, '--cfg-options', *options])
        return
    rate = images_per_second(request.out / f'train_{_short(_MODELS[0])}.json')
    sized = size_trainings(left(), rate, os.cpu_count() or 1)
    if sized is None:
        yield Part('table', [])
        return
    seeds, epochs = sized
    options = [f'train_cfg.max_epochs={epochs}', f'param_scheduler.1.end={epochs}', f'param_scheduler.1.T_max={epochs}']
    options += [f'train_cfg.val_interval={epochs}', f'train_dataloader.num_workers={os.cpu_count() or 1}']
    if request.device == 'cuda':
        options += ['optim_wrapper.type=AmpOptimWrapper', 'optim_wrapper.dtype=bfloat16', 'affine_step=DeferredAffine']
    data = ['--scale', 'gpu', '--seeds', str(seeds), '--data-root', str(request.out / 'people') + '/']
    yield Part('table', [*command, *data, '--cfg-options', *options])


def images_per_second(file: Path) -> float:
    """The fastest step of two cycles that was measured, or 0 where nothing was."""
    if not file.is_file():
        return 0.0
    rows = [row for table in json.loads(file.read_text(encoding='utf-8')) for row in table['rows']]
    return max((row['images/s'] for row in rows if row['variant'] != BASELINE), default=0.0)


def size_trainings(seconds: float, rate: float, cores: int) -> tuple[int, int] | None:
    """Seeds and epochs of the table's trainings that fit into a time.

    Args:
        seconds: That are left.
        rate: Images per second of the step.
        cores: That load; each is taken to give 700 samples per second.

    Returns:
        As many seeds as have at least 15 epochs, else one with fewer; None if not even 3 epochs fit.
    """
    rate = min(_SHARE * rate, 700.0 * cores)
    best = None
    for seeds in range(1, _MOST_SEEDS + 1):
        each = seconds / (_ROWS * seeds) - _START
        epochs = min(int(each * rate / _PEOPLE), _MOST_EPOCHS)
        if epochs >= _ENOUGH_EPOCHS or (seeds == 1 and epochs >= _LEAST_EPOCHS):
            best = seeds, epochs
    return best


def _summarize(request: Request, states: dict[str, str]) -> None:
    lines = [f'# On {request.device}, {request.minutes:g} minutes', '']
    lines += [f'- {name}: {state}' for name, state in states.items()]
    found = [request.out / f'{name}.md' for name in states]
    found += sorted((request.out / 'tables').glob('*/*.md'))
    lines += ['', *(file.read_text(encoding='utf-8') for file in found if file.is_file())]
    with atomic_write(request.out / SUMMARY, 'w', encoding='utf-8') as summary:
        summary.write('\n'.join(lines) + '\n')
