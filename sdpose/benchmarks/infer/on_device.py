"""The deployed model in torch on a GPU, or, to see it run, on a CPU: time, images per second, memory, share of peak."""

import itertools
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch

from sdpose.benchmarks.device import autocast
from sdpose.benchmarks.peak import flops_of_product, square_product
from sdpose.benchmarks.table import Table
from sdpose.benchmarks.timing import interleaved
from sdpose.benchmarks.train.kept import peak_bytes
from sdpose.deploy.optimize import deploy

from .subjects import Subject

_MIB = 2**20


def table(
    subjects: Sequence[Subject],
    device: torch.device,
    batches: Sequence[int],
    precisions: Sequence[str],
    compiled: bool,
    rounds: int,
    where: str,
) -> Table:
    """One row per model, batch, precision and variant.

    Args:
        subjects: The models.
        device: Where they run.
        batches: Images at a time.
        precisions: Of ``benchmark.py train``.
        compiled: Whether ``torch.compile`` of the deployed model is timed, too.
        rounds: Times that each is timed.
        where: Machine and method, for a note.
    """
    rows = [
        row
        for subject, batch, precision in itertools.product(subjects, batches, precisions)
        for row in _rows(subject, device, batch, precision, compiled, rounds)
    ]
    notes = (
        f'{device}, median of {rounds} runs in turns; {where}.',
        'Share of the peak: multiply-adds of the deployed pass, by time and a square matrix product in torch, timed in '
        'the same rounds. Images lie on the device.',
    )
    columns = ['model', 'batch', 'precision', 'variant', 'ms', 'images/s', 'share of peak']
    columns += ['peak MiB'] if device.type == 'cuda' else []
    return Table('Inference in torch', columns, rows, notes)


def _rows(
    subject: Subject, device: torch.device, batch: int, precision: str, compiled: bool, rounds: int
) -> list[dict[str, Any]]:
    images = torch.randn(batch, 3, *subject.size, device=device)
    deployed: Any = deploy(subject.model.cpu(), subject.size, open_attention=False).to(device)
    models: dict[str, Any] = {'plain': subject.model.to(device), 'deployed': deployed}
    if compiled:
        models['deployed, compiled'] = torch.compile(deployed)
    runs = {name: _runner(model, images, precision) for name, model in models.items()}
    memory = {name: peak_bytes(run, device) for name, run in runs.items()}
    times = interleaved({'gemm': square_product(device, precision), **runs}, rounds, warmup=2)
    peak = flops_of_product(device) / median(times['gemm'])
    return [
        {
            'model': subject.name,
            'batch': batch,
            'precision': precision,
            'variant': name,
            'ms': round(1000 * median(times[name]), 3),
            'images/s': round(batch / median(times[name]), 1),
            'share of peak': f'{2 * subject.macs * batch / median(times[name]) / peak:.0%}',
            'peak MiB': None if (most := memory[name]) is None else round(most / _MIB),
        }
        for name in runs
    ]


def _runner(model: Any, images: torch.Tensor, precision: str) -> Callable[[], None]:
    def run() -> None:
        with torch.no_grad(), autocast(images.device, precision):
            model(images, None, mode='tensor')
        if images.device.type == 'cuda':
            torch.cuda.synchronize(images.device)

    return run
