"""Where the time of a deployed pass goes: stem, tokenizer, each layer's two halves, head and decoding.

Shapes: B batch, K joints.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from sdpose.benchmarks.peak import gemm_peak
from sdpose.benchmarks.table import Table
from sdpose.benchmarks.timing import clock_for
from sdpose.deploy.optimize import deploy, optimize_for_inference
from sdpose.deploy.single_pass import SinglePass

from .subjects import Subject

_DECODE = 'decode'


def table(subject: Subject, rounds: int, method: str) -> Table:
    """Time and share of the peak of each part of one model, one image at a time.

    Args:
        subject: A model of this project.
        rounds: Passes that are timed.
        method: What it is measured on.
    """
    image = torch.rand(1, 3, *subject.size, generator=torch.Generator().manual_seed(0))
    work = _work(deploy(subject.model, subject.size, open_attention=False), image)
    seconds = _seconds(optimize_for_inference(subject.model, subject.size), image, rounds)
    peak = gemm_peak()
    medians = {name: median(times) for name, times in seconds.items()}
    total = sum(medians.values())
    rows = [
        {
            'part': name,
            'ms': round(1000 * value, 3),
            'of all': f'{value / total:.1%}',
            'M multiply-adds': round(work[name] / 2e6, 1) if name in work else None,
            'share of peak': f'{work[name] / value / peak:.0%}' if work.get(name) else None,
        }
        for name, value in medians.items()
    ]
    rows.append({'part': 'all', 'ms': round(1000 * total, 3), 'of all': '100%'})
    notes = (
        f'torch, deployed; {method}; one image.',
        f'Peak {peak / 1e9:.0f} GFLOP/s in float32. Multiply-adds are those that are done, so a last layer has few.',
        'The first layer norm belongs to attention, the second to the feed-forward half. Decoding is NumPy.',
    )
    columns = ('part', 'ms', 'of all', 'M multiply-adds', 'share of peak')
    return Table(f'Where the time goes: {subject.name}', columns, rows, notes)


def _parts(model: Any) -> Iterator[tuple[str, Any, str]]:
    """Name, owner and method of each part that is timed."""
    if getattr(model, 'backbone', None) is not None:
        yield 'backbone', model.backbone, 'forward'
    neck = getattr(model, 'neck', None)
    if type(neck) is SinglePass:
        yield 'tokenizer', neck.tokenizer, 'forward'
        for number, layer in enumerate(neck.layers, start=1):
            yield f'layer {number}, attention', layer, 'attend'
            yield f'layer {number}, feed-forward', layer, 'feed'
        if neck.last is not None:
            yield f'layer {neck.depth}, query tokens alone', neck.last, 'forward'
    yield 'head', model.head, 'forward'


def _wrapped(model: Any, wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace the method of each part, on these objects alone."""
    for name, owner, method in _parts(model):
        setattr(owner, method, wrap(name, getattr(owner, method)))


def _seconds(model: Any, image: torch.Tensor, rounds: int) -> dict[str, list[float]]:
    """Seconds of each part in each of several passes."""
    seconds: dict[str, list[float]] = defaultdict(list)
    clock = clock_for(torch.get_num_threads())

    def timed(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            start = clock()
            found = run(*args, **kwargs)
            seconds[name].append(clock() - start)
            return found

        return call

    _wrapped(model, timed)
    decode = getattr(getattr(model.head, 'decoder', None), 'decode', None)
    with torch.no_grad():
        for number in range(-2, rounds):
            if number == 0:
                seconds.clear()
            answer = model(image, None, mode='tensor')
            if decode is not None and isinstance(answer, torch.Tensor) and answer.ndim == 4:
                timed(_DECODE, decode)(np.asarray(answer[0]))
    return dict(seconds)


def _work(model: Any, image: torch.Tensor) -> dict[str, int]:
    """FLOPs of each part, attention included."""
    work: dict[str, int] = defaultdict(int)

    def counted(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                found = run(*args, **kwargs)
            work[name] += counter.get_total_flops()
            return found

        return call

    _wrapped(model, counted)
    with torch.no_grad():
        model(image, None, mode='tensor')
    return dict(work)
