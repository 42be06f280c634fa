"""Whether a file answers as PyTorch does: outputs and decoded joints, on pictures of people.

Shapes: N images, B images of a batch, K joints.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from mmpose.registry import KEYPOINT_CODECS

from sdpose.errors import MismatchError

from .decoding import SPLIT
from .graph import NAMES, AnyGraph, DeployedGraph, FurtherCycle

OUTPUT_LIMIT = 1e-4  # of a difference in full precision, over the largest number of an output if that is above 1
JOINT_LIMIT = 0.05  # pixels
# A SimCC vector has half a pixel of resolution on each axis, so a joint stands up to this far from its cell.
_CELL = 2**0.5 / (2 * SPLIT)
_NOISE = 1e-5  # added to a heatmap to see whether its joint means anything
_STEADY = 0.01  # pixels that such noise may move it
_DRAWS = 8  # of two peaks of one height a single noise leaves the higher one in half of the cases
# Of the largest coordinate, what float32 rounds: the same network in float64 differs by 5e-7 of it.
_ROUNDING = 1e-6
_BATCH = 8

Run = Callable[..., list[np.ndarray]]


def run_graph(graph: AnyGraph) -> Run:
    """A graph in PyTorch as a session's ``run``."""

    def run(*inputs: np.ndarray) -> list[np.ndarray]:
        with torch.no_grad():
            return [value.numpy() for value in graph(*map(torch.from_numpy, inputs))]

    return run


def run_on(first: Run, further: Run, state: int, cycles: int) -> Run:
    """What images give after all cycles.

    Args:
        first: The first one.
        further: Each of the others.
        state: How many of the last outputs it goes on with.
        cycles: How many there are.
    """

    def run(images: np.ndarray) -> list[np.ndarray]:
        outputs = first(images)
        for _ in range(cycles - 1):
            outputs = further(*outputs[-state:])
        return outputs

    return run


def run_cycles(graph: DeployedGraph, cycles: int) -> Run:
    """A graph and its further cycles in PyTorch as a session's ``run``."""
    if cycles == 1:
        return run_graph(graph)
    return run_on(run_graph(graph), run_graph(FurtherCycle(graph)), len(graph.state), cycles)


def run_batches(run: Run, images: np.ndarray, batch: int | None) -> list[np.ndarray]:
    """Outputs of all images (N, 3, h, w).

    Args:
        run: Computes the outputs of a batch.
        images: The images.
        batch: How many at a time; None if that is free. The last batch is filled up with copies.
    """
    size = batch or _BATCH
    found = []
    for start in range(0, len(images), size):
        part = images[start : start + size]
        lacking = size - len(part) if batch else 0
        filled = np.concatenate([part, *([part[:1]] * lacking)])
        found.append([value[: len(part)] for value in run(np.ascontiguousarray(filled))])
    return [np.concatenate(values) for values in zip(*found)]


class Decoder:
    """Joints in pixels of the input, of named outputs, by the codec of the config.

    Args:
        kind: What the outputs are.
        codec: Config of the codec, None for classes.
        size: (w, h) of the input.
    """

    def __init__(self, kind: str, codec: dict[str, Any] | None, size: tuple[int, int]) -> None:
        self.kind, self.size = kind, size
        self.codec: Any = KEYPOINT_CODECS.build(codec) if codec and kind in ('heatmaps', 'simcc') else None

    def __call__(self, outputs: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Joints (N, K, 2) and scores (N, K); outputs behind those of the kind are not read."""
        outputs = outputs[: len(NAMES[self.kind])]
        if self.kind in ('joints', 'coordinates'):
            factor = np.array(self.size, np.float32) if self.kind == 'coordinates' else np.float32(1)
            return outputs[0] * factor, outputs[1]
        if self.kind == 'simcc' and not hasattr(self.codec, 'simcc_split_ratio'):  # vectors of one cell
            joints = np.stack([value.argmax(axis=-1) for value in outputs], axis=-1) / np.float32(SPLIT)
            return joints, outputs[0].max(axis=-1)
        pairs = [self.codec.decode(*(value.copy() for value in each)) for each in zip(*outputs)]
        return tuple(np.concatenate(values) for values in zip(*pairs))  # type: ignore[return-value]  # two of them


def compare(
    graph: DeployedGraph,
    reference: DeployedGraph,
    codec: dict[str, Any] | None,
    run: Run,
    images: np.ndarray,
    batch: int | None,
    cycles: int = 1,
) -> dict[str, Any]:
    """What a file's answers differ by.

    Args:
        graph: What the file holds, in PyTorch.
        reference: The same without decoding, for the codec.
        codec: Its config.
        run: The file's, or the files'.
        images: The model's normalized images (N, 3, h, w).
        batch: Images at a time, None if it is free.
        cycles: How many it runs.

    Returns:
        ``outputs``: by name, the largest ``difference`` and the largest number; ``joints``, but for classes: the
        ``difference`` in pixels of those that mean something, how many were ``judged``, and how many ``moved`` by
        more than a pixel, of all.
    """
    arranged = graph.arranged(images)
    wanted = run_batches(run_cycles(graph, cycles), arranged, batch)
    found = run_batches(run, arranged, batch)
    result: dict[str, Any] = dict(
        outputs={
            name: dict(difference=float(np.abs(one - other).max()), largest=float(np.abs(one).max()))
            for name, one, other in zip(graph.names, wanted, found)
        }
    )
    if graph.kind == 'classes':
        return result
    own = run_batches(run_cycles(reference, cycles), images, batch)
    decode = Decoder(reference.kind, codec, graph.size)
    joints, _ = decode(own)
    steady = _steady(decode, own, joints)
    if graph.kind == reference.kind:
        there, _ = decode(found)
    else:
        there, _ = Decoder(graph.kind, codec if graph.kind == graph.natural else None, graph.size)(found)
        if graph.kind == 'simcc':  # which ends at the picture's border
            joints = joints.clip(0, np.array(graph.size, np.float32) - 1 / SPLIT)
    apart = np.linalg.norm(joints - there, axis=-1)
    result['joints'] = dict(
        difference=float(apart[steady].max()) if steady.any() else None,
        judged=int(steady.sum()),
        all=int(steady.size),
        moved=float((apart > 1).mean()),
    )
    return result


def _steady(decode: Decoder, outputs: list[np.ndarray], joints: np.ndarray) -> np.ndarray:
    """Which joints (N, K) stay where they are when their outputs are moved by less than the file may.

    On noise, as an untrained model predicts it, the maximum and its refinement depend on the last digit. Coordinates
    are taken as they are, but float32 does not hold to a hundredth of a pixel what lies many crops away.
    """
    if decode.kind == 'coordinates':
        rounded = _ROUNDING * float(np.abs(outputs[0]).max()) * max(decode.size)
        return np.full(joints.shape[:2], rounded <= _STEADY)
    rng = np.random.default_rng(0)
    scale = [_NOISE * max(1.0, float(np.abs(value).max())) for value in outputs]
    steady = np.ones(joints.shape[:2], bool)
    for _ in range(_DRAWS):
        moved = [
            value + rng.uniform(-size, size, value.shape).astype(np.float32) for value, size in zip(outputs, scale)
        ]
        steady &= np.linalg.norm(decode(moved)[0] - joints, axis=-1) <= _STEADY
    return steady


def require_parity(result: dict[str, Any], graph: DeployedGraph, file: str) -> None:
    """Refuse a file in full precision that answers otherwise.

    Raises:
        MismatchError: Naming the output or the joint, and by how much.
    """
    cell = _CELL if graph.kind == 'simcc' and graph.natural != 'simcc' else 0.0
    for name, value in result['outputs'].items():
        limit = OUTPUT_LIMIT * max(1.0, value['largest'])
        in_pixels = graph.kind == 'joints' and name == 'keypoints' or cell
        if not in_pixels and not value['difference'] <= limit:
            raise MismatchError(
                f'{file}: its {name} differ from PyTorch by {value["difference"]:.1e}, more than {limit:.0e}; '
                'nothing was written. Try another --opset or --format'
            )
    difference = result.get('joints', {}).get('difference')
    if difference is not None and not difference <= JOINT_LIMIT + cell:
        raise MismatchError(
            f'{file}: a joint differs from PyTorch by {difference:.3f} pixels, more than {JOINT_LIMIT + cell:.2f}; '
            'nothing was written. Try another --opset or --format'
        )
