"""The table of training steps."""

from collections.abc import Sequence
from statistics import median
from time import process_time

from sdpose.benchmarks.machine import machine
from sdpose.benchmarks.table import Table
from sdpose.benchmarks.timing import ratio

from .measure import BASELINE, PLAIN, Measured, Plan

_MIB = 2**20


def table(results: Sequence[Measured], plan: Plan, threads: int) -> Table:
    """One row per model, precision and variant."""
    rows = [_row(result, variant, plan) for result in results for variant in result.times]
    rates = {name: median(result.peaks[name] for result in results) / 1e9 for name in plan.precisions}
    peaks = ', '.join(f'{rate:.0f} in {name}' for name, rate in rates.items())
    where = _device(plan, threads) + (', CPU time' if plan.clock is process_time else '')
    notes = (
        f'{where}, batch {plan.batch}, median of {plan.rounds} steps in turns; {machine()}.',
        f'Peak: a square matrix product in torch, timed in the same rounds, in GFLOP/s: {peaks}. Share of it: three '
        'forward passes of all training cycles, by time and peak; what is computed twice is not counted.',
        f'"{BASELINE}": the model by hand with the same weights: attention unfused, every map kept, the loss in a loop '
        f'over the joints, loss and accuracy on the host in every step. "{PLAIN}": the step that train.py takes. Both '
        'with Adam; reading of images is not part of it.',
        'Kept: bytes that live between forward and backward pass for one image more; "of released": over the released '
        'way in float32. Difference: of the loss before the first step, over the released one in the same precision.',
    )
    columns = ['model', 'precision', 'variant', 'ms', 'images/s', 'x released', 'share of peak', 'kept MiB']
    columns += ['of released', *(['peak MiB'] if plan.device.type == 'cuda' else []), 'difference']
    return Table('Training step', tuple(columns), rows, notes)


def _row(result: Measured, variant: tuple[str, str], plan: Plan) -> dict:
    name, precision = variant
    times, baseline = result.times[variant], (BASELINE, precision)
    whole, memory = (BASELINE, 'fp32'), result.memory[variant]
    kept, difference = result.kept.get(variant), None
    if baseline in result.losses and name != BASELINE:
        difference = f'{abs(result.losses[variant] / result.losses[baseline] - 1):.0e}'
    return {
        'model': result.name,
        'precision': precision,
        'batch': plan.batch,
        'variant': name,
        'ms': round(1000 * median(times), 1),
        'images/s': round(plan.batch / median(times), 2),
        'x released': round(ratio(result.times[baseline], times), 2) if baseline in result.times else None,
        'share of peak': f'{result.flops * plan.batch / median(times) / result.peaks[precision]:.0%}',
        'kept MiB': None if kept is None else round(kept / _MIB, 2),
        'of released': None if kept is None or whole not in result.kept else round(kept / result.kept[whole], 3),
        'peak MiB': None if memory is None else round(memory / _MIB),
        'difference': difference,
    }


def _device(plan: Plan, threads: int) -> str:
    if plan.device.type == 'cpu':
        return f'{threads} thread(s)'
    import torch

    return torch.cuda.get_device_name(plan.device)
