"""The steps of one model, timed in turns with a matrix product that says what the machine can do."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sdpose.apis.complexity import count_macs
from sdpose.benchmarks.device import autocast
from sdpose.benchmarks.infer import subjects
from sdpose.benchmarks.peak import flops_of_product, square_product
from sdpose.benchmarks.timing import interleaved
from sdpose.errors import ConfigError, UserError

from .kept import kept_per_image, peak_bytes
from .steps import Batch, OwnWay, ReleasedWay, step_of

# Options of the package's step, each measured by itself beside the plain one.
OPTIONS = ('checkpoint_cycles', 'channels_last', 'compile', 'fused')
BASELINE, PLAIN = 'released way', 'SDPose'


class Plan(NamedTuple):
    """How models are measured.

    Attributes:
        device: Where.
        batch: Images of a step.
        precisions: Of :data:`sdpose.benchmarks.device.PRECISIONS`.
        options: Of ``OPTIONS``.
        with_baseline: Whether the released way is measured, too.
        rounds: Steps that each variant is timed.
        clock: What they are timed by.
    """

    device: torch.device
    batch: int
    precisions: tuple[str, ...]
    options: tuple[str, ...]
    with_baseline: bool
    rounds: int
    clock: Callable[[], float]


class Measured(NamedTuple):
    """One model's numbers; a variant is a pair of its name and the precision.

    Attributes:
        name: The model's.
        flops: Of a step of one image: three times the multiply-adds of its forward pass, times two.
        times: Seconds of every timed step by variant.
        peaks: FLOP/s of the matrix product by precision, of the same rounds.
        kept: Bytes between forward and backward pass, of one image, by variant; none of what is compiled.
        memory: The most bytes on a GPU by variant; None on a CPU.
        losses: The loss before the first step by variant.
    """

    name: str
    flops: int
    times: dict[tuple[str, str], list[float]]
    peaks: dict[str, float]
    kept: dict[tuple[str, str], float]
    memory: dict[tuple[str, str], int | None]
    losses: dict[tuple[str, str], float]


def measure(config: str, plan: Plan) -> Measured:
    """All variants of one config.

    Raises:
        UserError: If the config is wrong, or of a method that the released way is not written for.
    """
    subject = subjects.ours(config, None)
    if not ReleasedWay.knows(subject.model):
        raise UserError(
            f'{config}: benchmark.py train compares SDPose and TokenPose with heatmaps, without a pruner or a teacher, '
            'with the code by hand (tests/by_hand, of a checkout); other configs and an installation have none'
        )
    _, macs = count_macs(subject.model, torch.zeros(1, 3, *subject.size), training=True)
    ways = dict(_ways(subject, plan))
    batches = {number: Batch(subject, number, plan.device) for number in {1, 3, plan.batch}}
    steps: dict[tuple[str, str], Callable[[], None]] = {}
    kept, losses = {}, {}
    for (name, make), precision in itertools.product(ways.items(), plan.precisions):
        way, key = make(), (name, precision)
        losses[key] = _loss(way, batches[plan.batch], precision)
        if 'compile' not in name:  # what counts lets nothing be compiled, not even later
            kept[key] = kept_per_image(_forward(way, batches, precision), partial(_own, way, batches))
        steps[key] = step_of(way, batches[plan.batch], precision, 'fused' in name)
    memory = {key: _peak(step, key, plan) for key, step in steps.items()}
    products = {('gemm', precision): square_product(plan.device, precision) for precision in plan.precisions}
    times = interleaved({**products, **steps}, plan.rounds, warmup=1, clock=plan.clock)
    flops = flops_of_product(plan.device)
    peaks = {precision: flops / median(times.pop(('gemm', precision))) for precision in plan.precisions}
    return Measured(subject.name, 6 * macs, times, peaks, kept, memory, losses)


def _ways(subject: subjects.Subject, plan: Plan) -> Iterator[tuple[str, Callable[[], Any]]]:
    if plan.with_baseline:
        yield BASELINE, partial(ReleasedWay, subject, plan.device)
    yield PLAIN, partial(OwnWay, subject, plan.device)
    for option in plan.options:
        yield f'{PLAIN}, {option.replace("_", " ")}', partial(OwnWay, subject, plan.device, [option])


def _forward(way: Any, batches: dict[int, Batch], precision: str) -> Callable[[int], Callable[[], Tensor]]:
    def of(number: int) -> Callable[[], Tensor]:
        def forward() -> Tensor:
            with autocast(batches[number].images.device, precision):
                return way.loss(batches[number])

        return forward

    return of


def _loss(way: Any, batch: Batch, precision: str) -> float:
    with torch.no_grad(), autocast(batch.images.device, precision):
        return way.loss(batch).item()


def _own(way: Any, batches: dict[int, Batch]) -> Iterator[Tensor]:
    yield from way.model.parameters()
    yield from way.model.buffers()
    for batch in batches.values():
        yield from (batch.images, batch.heatmaps, batch.weights)


def _peak(step: Callable[[], None], key: tuple[str, str], plan: Plan) -> int | None:
    """The most memory of a step, which is the first that it takes.

    Raises:
        ConfigError: If the device has too little memory for it.
    """
    try:
        return peak_bytes(step, plan.device)
    except torch.cuda.OutOfMemoryError as error:
        raise ConfigError(
            f'{", ".join(key)}: {plan.device} has too little memory for --batch {plan.batch}: take a smaller one, or '
            '--without-baseline'
        ) from error
