"""The arithmetic of a plan: from the cost of a step and what a card can do, to the time of a whole training."""

import math
from typing import NamedTuple

from .cards import BANDWIDTH_SHARE, EXCHANGE_BYTES_PER_SECOND, LAUNCH_SECONDS, PRODUCT_SHARE, Card
from .schedule import Schedule
from .step import StepCost

_WORD = 4  # bytes of a gradient
_RESERVED = 1.5e9  # bytes of the CUDA context, its libraries and the allocator's gaps


class Loading(NamedTuple):
    """What feeding costs.

    Attributes:
        train_seconds: Of one core, for one training sample.
        test_seconds: Of one core, for one evaluated box.
        sample_bytes: Of a training sample that goes to the device.
        worker_bytes: Of a worker's own memory.
    """

    train_seconds: float
    test_seconds: float
    sample_bytes: float
    worker_bytes: float


class Step(NamedTuple):
    """A training step of one process.

    Attributes:
        seconds: That it takes.
        memory: Bytes on the card.
        bound: What it waits for.
        test_seconds: Of one deployed pass of one image.
    """

    seconds: float
    memory: float
    bound: str
    test_seconds: float


class Plan(NamedTuple):
    """A whole training.

    Attributes:
        model_rate: Images per second that the cards could train.
        rate: Images per second with the loader.
        step: Of one process.
        cores: That the loaders need for ``model_rate``, on all cards.
        workers: Processes that load, for each card.
        loader_bytes: Memory of all workers and of what they have ready.
        train_seconds: Of all epochs.
        test_seconds: Of all evaluations in between.
        bound: What the training waits for.
    """

    model_rate: float
    rate: float
    step: Step
    cores: float
    workers: int
    loader_bytes: float
    train_seconds: float
    test_seconds: float
    bound: str


def estimated_step(cost: StepCost, card: Card, precision: str, batch: int, gpus: int) -> Step:
    """A step by a card's data sheet: the slowest of products, memory, launches and, on several cards, gradients.

    Args:
        cost: Of the step.
        card: Its peaks count by the shares of :mod:`.cards`.
        precision: A key of its ``peaks``.
        batch: Images of one process.
        gpus: Processes.
    """
    peak = card.peaks[precision] * PRODUCT_SHARE
    bandwidth = card.bandwidth * BANDWIDTH_SHARE
    bounds = {
        'products': cost.flops * batch / peak,
        "the card's memory": cost.traffic * batch / bandwidth,
        'launches of kernels (torch.compile, or a larger batch)': cost.kernels * LAUNCH_SECONDS,
    }
    if gpus > 1:
        bounds['gradients between cards'] = 2 * _WORD * cost.parameters / EXCHANGE_BYTES_PER_SECOND
    bound = max(bounds, key=lambda name: bounds[name])
    # A deployed pass moves about as many bytes per product as a training step does.
    share = cost.test_flops / cost.flops
    test_seconds = max(cost.test_flops / peak, share * cost.traffic / bandwidth)
    return Step(bounds[bound], cost.fixed + cost.kept * batch + _RESERVED, bound, test_seconds)


def plan(step: Step, schedule: Schedule, loading: Loading, gpus: int, cores: int | None) -> Plan:
    """A whole training.

    Args:
        step: Estimated or measured.
        schedule: Epochs and samples.
        loading: What a sample costs the processor.
        gpus: Cards, a process each.
        cores: Of the machine, for loading; None for as many as are needed.
    """
    model_rate = gpus * schedule.batch / step.seconds
    needed = model_rate * loading.train_seconds
    loader_rate = math.inf if cores is None else cores / loading.train_seconds
    rate = min(model_rate, loader_rate)
    workers = math.ceil((needed if cores is None else min(needed, cores)) / gpus)
    ready = 2 * workers * schedule.batch * loading.sample_bytes  # PyTorch's two batches for each worker
    test_rate = gpus / (schedule.passes * step.test_seconds)
    if cores is not None:
        test_rate = min(test_rate, cores / loading.test_seconds)
    return Plan(
        model_rate=model_rate,
        rate=rate,
        step=step,
        cores=needed,
        workers=workers,
        loader_bytes=gpus * (workers * loading.worker_bytes + ready),
        train_seconds=schedule.epochs * schedule.samples / rate,
        test_seconds=schedule.validations * schedule.val_samples / test_rate,
        bound=step.bound if rate == model_rate else 'the loader',
    )
