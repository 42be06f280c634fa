"""Every way to run one model, timed in turns with a matrix product that says what the machine can do.

Shapes: B batch, H and W the image size in pixels.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sdpose.benchmarks.peak import SIDES, flops_of_product, square_product
from sdpose.benchmarks.table import Table
from sdpose.benchmarks.timing import clock_for, interleaved, ratio
from sdpose.deploy.export.formats import BY_NAME
from sdpose.deploy.export.graph import INPUT, example_images
from sdpose.deploy.export.request import ExportRequest
from sdpose.deploy.optimize import deploy, numbers, optimize_for_inference
from sdpose.errors import ConfigError

from .subjects import ByHand, Subject

LIBRARIES = ('torch', 'onnxruntime', 'openvino', 'ncnn', 'ai-edge-litert')
_CPU = torch.device('cpu')
_GEMM = {'gemm float32': 'fp32', 'gemm bfloat16': 'bf16'}  # products that measure the peak, and their precisions
_CALIBRATED = 8  # random images that int8 is calibrated on: its time does not depend on them
_REDUCED = (' bf16', ' int8')  # how names of variants of less than float32 end
_BASELINE, _PLAIN = 'torch, by hand', 'torch, plain'

Runner = Callable[[], Sequence[Any]]


class Plan(NamedTuple):
    """How models are measured.

    Attributes:
        runtimes: Which, of ``RUNTIMES``.
        batch: B.
        threads: Of every runtime.
        rounds: Times that each variant is timed.
        compiled: Whether ``torch.compile`` is timed, too.
        int8: Whether files in int8 are timed, too.
    """

    runtimes: tuple[str, ...]
    batch: int
    threads: int
    rounds: int
    compiled: bool
    int8: bool = False


class Measured(NamedTuple):
    """One model's times.

    Attributes:
        subject: The model.
        batch: Images of a run.
        times: Seconds of each round by variant.
        peaks: FLOP/s of the matrix product by data type, of the same rounds.
        differences: The largest difference of each variant's output from the plain model's, over its largest number.
    """

    subject: Subject
    batch: int
    times: dict[str, list[float]]
    peaks: dict[str, float]
    differences: dict[str, float]

    def milliseconds(self, variant: str) -> float:
        """The median time of a variant."""
        return 1000 * median(self.times[variant])

    def best(self) -> tuple[str, float]:
        """The fastest variant in float32, and its milliseconds."""
        exact = [name for name in self.times if not name.endswith(_REDUCED)]
        return min(((name, self.milliseconds(name)) for name in exact), key=lambda pair: pair[1])


class PlainGraph(nn.Module):
    """A model in eval mode as it stands, as a graph: what an export without further work would hold.

    Args:
        model: A model of heatmaps, coordinates or classes.
        size: (H, W) of its images.
    """

    kind, inputs = 'outputs', (INPUT,)

    def __init__(self, model: Any, size: tuple[int, int]) -> None:
        super().__init__()
        self.model, self.size = model, size[::-1]
        with torch.no_grad():
            self.names = tuple(f'out{index}' for index in range(len(self(torch.rand(1, 3, *size)))))

    def example(self, batch: int) -> tuple[Tensor, ...]:
        """As :meth:`DeployedGraph.example`."""
        return (example_images(self.size, batch),)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """The tensors that the head predicts of images (B, 3, H, W)."""
        return tuple(numbers(self.model(image, None, mode='tensor')))


def installed(wanted: Sequence[str] | None, known: Sequence[str], int8: bool = False) -> tuple[str, ...]:
    """The runtimes to measure.

    Args:
        wanted: Those that are asked for, None for all.
        known: All.
        int8: Whether they are to run int8, too; those that never do may stay.

    Raises:
        ConfigError: If one that is asked for, or what int8 needs, is not installed, with its package.
    """
    there: list[str] = []
    for name in wanted or known:
        try:
            if name != 'torch':
                BY_NAME[name].require(ExportRequest((name,), batch=1))
            there.append(name)
        except ConfigError:
            if wanted:
                raise
    for name in there if int8 else ():
        if name != 'torch' and 'int8' in BY_NAME[name].precisions:
            BY_NAME[name].require(ExportRequest((name,), 'int8', batch=1))
    return tuple(there)


def measure(subject: Subject, plan: Plan) -> Measured:
    """All variants of one model.

    Args:
        subject: The model.
        plan: How.
    """
    image = torch.rand(plan.batch, 3, *subject.size, generator=torch.Generator().manual_seed(0))
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        runners: dict[str, Runner] = {}
        for make in (_in_torch, _in_runtimes):
            runners.update(make(subject, plan, image, Path(folder)))
        wanted = _arrays(subject.model(image, None, mode='tensor'))
        differences = {name: _difference(wanted, _arrays(run())) for name, run in runners.items()}
        products = {name: square_product(_CPU, precision) for name, precision in _GEMM.items()}
        timed: dict[str, Callable[[], Any]] = {**products, **runners}
        times = interleaved(timed, plan.rounds, warmup=2, clock=clock_for(plan.threads))
    peaks = {name: flops_of_product(_CPU) / median(times.pop(name)) for name in _GEMM}
    return Measured(subject, plan.batch, times, peaks, differences)


def table(results: Sequence[Measured], method: str) -> Table:
    """One row per model and variant."""
    rows = []
    for result in results:
        flops = 2 * result.subject.macs * result.batch
        for name, times in result.times.items():
            plain = f'{name.split(",")[0]}, plain'
            bf16 = name.endswith('bf16')
            peak = result.peaks['gemm bfloat16' if bf16 else 'gemm float32']
            share = f'{flops / median(times) / peak:.0%}{" (bf16)" if bf16 else ""}'
            rows.append(
                {
                    'model': result.subject.name,
                    'variant': name,
                    'ms': round(result.milliseconds(name), 2),
                    'x by hand': _times(result, _BASELINE, times),
                    'of plain time': round(1 / ratio(result.times[plain], times), 3) if plain in result.times else None,
                    'share of peak': None if name.endswith('int8') else share,
                    'difference': f'{result.differences[name]:.0e}',
                }
            )
    side = SIDES[_CPU.type]
    peaks = [median(result.peaks[name] for result in results) / 1e9 for name in _GEMM]
    notes = (
        f'{method}.',
        f'Peak: a {side} x {side} matrix product in torch, timed in the same rounds: {peaks[0]:.0f} GFLOP/s in '
        f'float32, {peaks[1]:.0f} in bfloat16. Share: one deployed pass with nothing left out, by time and peak.',
        '"By hand": all cycles run, attention unfused, every map kept. "Plain": the model in eval mode as it stands, '
        'or exported so. "Deployed": optimize_for_inference, or the exported file.',
        'Difference: the largest one from the plain model in torch, over its largest number. A runtime without a '
        'form for an operator has no row; ncnn runs one image at a time.',
    )
    columns = ('model', 'variant', 'ms', 'x by hand', 'of plain time', 'share of peak', 'difference')
    return Table('Inference', columns, rows, notes)


def _times(result: Measured, baseline: str, times: Sequence[float]) -> float | None:
    """How many times as fast as a baseline, where there is one."""
    return round(ratio(result.times[baseline], times), 2) if baseline in result.times else None


def _in_torch(subject: Subject, plan: Plan, image: Tensor, folder: Path) -> Iterator[tuple[str, Runner]]:
    """The variants of PyTorch."""
    if 'torch' not in plan.runtimes:
        return
    models: dict[str, Any] = {}
    if subject.ours and ByHand.knows(subject.model):
        models[_BASELINE] = ByHand(subject)
    yield from ((name, _call(model, image)) for name, model in models.items())
    yield _PLAIN, _call(subject.model, image, None, mode='tensor')
    if subject.ours:
        yield 'torch, deployed', _call(optimize_for_inference(subject.model, subject.size), image, None, mode='tensor')
    if plan.compiled:
        whole = torch.compile(PlainGraph(deploy(subject.model, subject.size, open_attention=False), subject.size))
        yield 'torch, compiled', _call(whole, image)


def _call(model: Any, *args: Any, **kwargs: Any) -> Runner:
    return lambda: model(*args, **kwargs)


def _in_runtimes(subject: Subject, plan: Plan, image: Tensor, folder: Path) -> Iterator[tuple[str, Runner]]:
    """The variants of the runtimes, from files in a folder."""
    array = image.numpy()
    graphs = {'plain': PlainGraph(subject.model, subject.size)}
    if subject.ours:
        graphs['deployed'] = PlainGraph(deploy(subject.model, subject.size), subject.size)
    for runtime in plan.runtimes:
        if runtime == 'torch' or (runtime == 'ncnn' and plan.batch > 1):
            continue
        form = BY_NAME[runtime]
        for name, graph in graphs.items():
            request = ExportRequest((runtime,), batch=plan.batch)
            try:
                file = form.write(graph, request, folder / f'{runtime}-{name}', '{}', None)  # type: ignore[arg-type]
            except ConfigError:
                continue  # an operator that this runtime has not; the table says what a missing row means
            yield f'{runtime}, {name}', _call(form.open(file, 'fp32', plan.threads).run, array)
            if name == 'deployed' and 'bf16' in form.precisions:
                yield f'{runtime}, {name} bf16', _call(form.open(file, 'bf16', plan.threads).run, array)
            if name == 'deployed' and plan.int8 and 'int8' in form.precisions:
                images = np.random.default_rng(0).random((_CALIBRATED, *array.shape[1:]), np.float32)
                request = ExportRequest((runtime,), 'int8', batch=plan.batch)
                file = form.write(graph, request, folder / f'{runtime}-int8', '{}', images)  # type: ignore[arg-type]
                yield f'{runtime}, {name} int8', _call(form.open(file, 'int8', plan.threads).run, array)


def _arrays(output: Any) -> list[np.ndarray]:
    """Every tensor of an output, or every array of a runtime's list."""
    if isinstance(output, list) and output and isinstance(output[0], np.ndarray):
        return output
    return [value.float().numpy() for value in numbers(output)]


def _difference(wanted: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> float:
    """The largest difference of the first outputs, over the largest number."""
    one, other = wanted[0], found[0].reshape(wanted[0].shape)
    return float(np.abs(one - other).max() / max(float(np.abs(one).max()), 1e-6))
