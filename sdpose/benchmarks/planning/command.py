"""``plan_training.py``: from a config, cards and what was measured, to a table of what a training takes."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from sdpose.benchmarks.table import Table
from sdpose.benchmarks.train.measure import BASELINE
from sdpose.config.nodes import input_size
from sdpose.errors import UserError
from sdpose.io.json_file import read_json

from .cards import CARDS, Card
from .plan import Loading, Plan, Step, estimated_step, plan
from .schedule import Schedule, schedule
from .step import StepCost, step_cost

ESTIMATE, MEASURED = 'estimate', 'measured'
# Seconds of one core of a busy Intel Xeon, measured by us (configs/_base_/datasets/README.md): full JPEGs of COCO's
# size, raw crops, and a box of an evaluation with 20 on a picture.
_FULL, _CACHED, _BOX = 4.07e-3, 1.5e-3, 1.87e-3
_WORKER_BYTES = 30e6  # a forked worker's own pages after two epochs of drawn people, measured by us
_PRECISIONS = ('fp32', 'tf32', 'fp16', 'bf16')


class Wish(NamedTuple):
    """What to plan.

    Attributes:
        gpus: Cards, a process each.
        kind: A key of :data:`CARDS`, or the JSON of ``benchmark.py train`` measured on the card.
        precision: Of the products; None for the config's.
        batch: Of one process; None for the config's.
        samples: Of an epoch; None for those that are known or here.
        cores: Of the machine; None for as many as are needed.
        loader: Milliseconds per sample of one core, or the JSON of ``benchmark.py data``; None for what we measured.
    """

    gpus: int
    kind: str
    precision: str | None = None
    batch: int | None = None
    samples: int | None = None
    cores: int | None = None
    loader: str | None = None


def plan_table(config: Config, wish: Wish) -> tuple[Table, Plan]:
    """Plan a training.

    Args:
        config: As the tools read it.
        wish: The cards and what is known of them.

    Raises:
        UserError: If the kind is unknown, the card lacks the precision, or a measured file holds nothing of the config.
        ConfigError: As :func:`schedule` and :func:`step_cost`.
    """
    for name in ('gpus', 'batch', 'samples', 'cores'):
        number = getattr(wish, name)
        if number is not None and number < 1:
            raise UserError(f'--{name} must be at least 1, not {number}')
    times = schedule(config, wish.samples, wish.batch)
    precision = wish.precision or _precision(config)
    card = CARDS.get(wish.kind.lower())
    if card is None and not wish.kind.endswith('.json'):
        known = ', '.join(CARDS)
        raise UserError(f'{wish.kind} is no known card; take one of {known}, or the JSON of benchmark.py train')
    if card is not None and precision not in card.peaks:
        raise UserError(f'{wish.kind} has no {precision}; it has {", ".join(card.peaks)}: choose with --precision')
    cost = step_cost(config, precision)
    if card is None:
        step, origin = _measured_step(config, wish.kind, precision, times, cost), MEASURED
    else:
        step, origin = estimated_step(cost, card, precision, times.batch, wish.gpus), ESTIMATE
    loading, loader_origin = _loading(config, wish.loader, times.cached)
    made = plan(step, times, loading, wish.gpus, wish.cores)
    rows = [*_rows(made, times, cost, origin, loader_origin, wish), *_room(step, card, cost, times, origin)]
    title = f'{Path(config.filename).stem} on {wish.gpus} x {wish.kind}, {precision}, batch {times.batch} each'
    return Table(title, ('what', 'value', 'from'), rows, _notes(origin)), made


def _precision(config: Config) -> str:
    """The precision that a config trains in."""
    wrapper = config.optim_wrapper
    if 'Amp' not in str(wrapper.get('type', '')):
        return 'fp32'
    return {'bfloat16': 'bf16'}.get(str(wrapper.get('dtype', 'float16')), 'fp16')


def _measured_step(config: Config, file: str, precision: str, times: Schedule, cost: StepCost) -> Step:
    """The step that ``benchmark.py train`` measured, in the variant that was fastest."""
    name = Path(config.filename).stem.split('_')[0]  # as the benchmark calls it
    rows = [row for table in read_json(file, 'a benchmark') for row in table['rows'] if row.get('model') == name]
    fitting = [
        row
        for row in rows
        if row.get('precision') == precision and row.get('images/s') and row.get('variant') != BASELINE
    ]
    if not fitting:
        others = ', '.join(sorted({str(row.get('precision')) for row in rows})) or 'nothing'
        raise UserError(f'{file} holds no step of {name} in {precision}, but {others} of it: measure it first')
    best = max(fitting, key=lambda row: row['images/s'])
    seconds = times.batch / best['images/s']
    memory = cost.fixed + cost.kept * times.batch
    if best.get('peak MiB'):
        memory = best['peak MiB'] * 2**20 + cost.kept * (times.batch - best['batch'])
    test_seconds = seconds / times.batch * cost.test_flops / cost.flops
    return Step(seconds, memory, f'the model ({best["variant"]})', test_seconds)


def _loading(config: Config, loader: str | None, cached: bool) -> tuple[Loading, str]:
    width, height = input_size(config)
    seconds, origin = (_CACHED if cached else _FULL), 'measured by us on an Intel Xeon'
    if loader is not None:
        seconds, origin = _given_loader(loader, cached) / 1e3, MEASURED
    return Loading(seconds, _BOX, 3 * width * height, _WORKER_BYTES), origin


def _given_loader(loader: str, cached: bool) -> float:
    """Milliseconds per sample."""
    if not loader.endswith('.json'):
        try:
            milliseconds = float(loader)
        except ValueError:
            milliseconds = math.nan
        if not 0 < milliseconds < math.inf:
            raise UserError(f'--loader {loader}: give milliseconds per sample, or the JSON of benchmark.py data')
        return milliseconds
    wanted = 'SDPose, raw crops' if cached else 'SDPose'
    for table in read_json(loader, 'a benchmark'):
        for row in table['rows']:
            if row.get('loader') == wanted and row.get('ms'):
                return float(row['ms'])
    raise UserError(f'{loader} holds no row of the loader {wanted!r}: make it by benchmark.py data --json')


def _rows(made: Plan, times: Schedule, cost: StepCost, origin: str, loader: str, wish: Wish) -> list[dict[str, str]]:
    step = made.step
    total = made.train_seconds + made.test_seconds
    cores = f'{made.cores:.1f}' + (f' (given: {wish.cores})' if wish.cores else '')
    lines = [
        ('samples', f'{times.samples} x {times.epochs} epochs = {times.samples * times.epochs / 1e6:.1f} M', 'config'),
        ('products per image', f'{cost.flops / 1e9:.1f} GFLOP, all cycles, forward and backward', 'counted'),
        ('step', f'{1e3 * step.seconds:.2f} ms, bound by {step.bound}', origin),
        ('images/s, model', f'{made.model_rate:.0f}', origin),
        ('images/s, with the loader', f'{made.rate:.0f}', f'{origin}; loader {loader}'),
        ('cores for loading', cores, loader),
        ('num_workers of each process', _workers(made, times), loader),
        ('memory of the loader', _bytes(made.loader_bytes), 'estimate'),
        ('training', _time(made.train_seconds), origin),
        (f'{times.validations} evaluations', _time(made.test_seconds), 'estimate'),
        ('whole schedule', f'{_time(total)}, bound by {made.bound}', origin),
    ]
    return [dict(zip(('what', 'value', 'from'), line)) for line in lines]


def _workers(made: Plan, times: Schedule) -> str:
    if times.workers >= made.workers:
        return f'{made.workers}; the config has {times.workers}'
    cure = f'--cfg-options train_dataloader.num_workers={made.workers}'
    return f'{made.workers}; the config has {times.workers}, so add {cure}'


def _room(step: Step, card: Card | None, cost: StepCost, times: Schedule, origin: str) -> list[dict[str, str]]:
    value = f'{_bytes(step.memory)}: {_bytes(cost.fixed)} of weights and optimizer, {_bytes(cost.kept)} an image'
    rows = [dict(zip(('what', 'value', 'from'), ('memory of each card', value, origin)))]
    if card is not None:
        most = int((card.memory - (step.memory - cost.kept * times.batch)) / cost.kept)
        fits = 'fits' if step.memory <= card.memory else f'does NOT fit into {_bytes(card.memory)}'
        rows.append({'what': 'largest batch', 'value': f'about {max(most, 0)}; {times.batch} {fits}', 'from': ESTIMATE})
    return rows


def _notes(origin: str) -> tuple[str, ...]:
    if origin == MEASURED:
        return ('Evaluations are scaled from the training step by their products.',)
    return (
        'estimate: nothing of it was measured on such a card. The slowest counts of products at half of the data '
        "sheet's peak, bytes of unfused kernels at 0.7 of its bandwidth, and 7 us of the host for each kernel.",
    )


def _bytes(number: float) -> str:
    return f'{number / 2**30:.1f} GiB' if number >= 2**30 else f'{number / 2**20:.0f} MiB'


def _time(seconds: float) -> str:
    if seconds < 60:
        return f'{seconds:.0f} s'
    return f'{seconds / 3600:.1f} h' if seconds >= 3600 else f'{seconds / 60:.1f} min'


def as_json(made: Plan) -> str:
    """A plan's numbers in SI units, as text."""
    values: dict[str, Any] = made._asdict()
    return json.dumps(dict(values, step=made.step._asdict()), indent=1)
