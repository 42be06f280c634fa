"""COCO's and CrowdPose's evaluation beside MMPose's: time and memory, by size."""

import argparse
import contextlib
import io
import pickle
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from .processes import caller, most_memory
from .table import Table

_OPTIONS: dict[str, dict[str, Any]] = {'COCO': {}, 'CrowdPose': dict(iou_type='keypoints_crowd', use_area=False)}
_JOINTS = {'COCO': 17, 'CrowdPose': 14}
_SIDES = ('MMPose', 'here')
_BATCH = 32
_NOTES = (
    'from the annotation file to the numbers: parsing, taking batches of 32, scores, OKS-NMS, evaluation, AP (M) and '
    "(L) of COCO's server; seconds of the processor, medians of rounds in turns, each side in a process of its own",
    'MiB: the most memory beyond what the process has before, with the predictions of the model in it',
    'people and predictions are generated, with ties, crowd regions, repeated people, empty images and areas on the '
    'limits; largest difference: of any number',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py metric``."""
    parser.add_argument('--images', type=int, default=5000, help='images (default 5000, as COCO val2017)')
    parser.add_argument('--rounds', type=int, default=3, help='evaluations of each side (default 3)')
    parser.add_argument(
        '--scale',
        type=int,
        nargs='*',
        default=[1000, 5000, 20000, 50000],
        help='numbers of images for the second table',
    )
    parser.add_argument(
        '--scale-mmpose', type=int, default=5000, help='the most images that MMPose is measured at there'
    )


def run(args: argparse.Namespace) -> list[Table]:
    """The tables that the options ask for."""
    from .machine import machine

    images, rounds = (60, 1) if args.quick else (args.images, args.rounds)
    scale = [20, 60] if args.quick else args.scale
    notes = (*_NOTES, machine())
    evaluate = partial(caller(args.quick), measure)
    rows = [evaluation_row(kind, images, rounds, evaluate) for kind in _OPTIONS]
    tables = [Table('Evaluation beside MMPose', list(rows[0]), rows, notes)]
    if scale:
        rows = [evaluation_row('COCO', each, 1, evaluate, args.quick or each <= args.scale_mmpose) for each in scale]
        tables.append(Table('Evaluation by the number of images', list(rows[0]), rows, notes))
    return tables


def evaluation_row(
    kind: str, images: int, rounds: int, evaluate: Callable[..., Any], both: bool = True
) -> dict[str, Any]:
    """Both sides on the same predictions.

    Args:
        kind: ``'COCO'`` or ``'CrowdPose'``.
        images: How many.
        rounds: Evaluations of each side.
        evaluate: :func:`measure`, or a way to call it in a process of its own.
        both: Whether MMPose is measured, too.
    """
    from .generated_people import World, generate

    sides = _SIDES if both else _SIDES[1:]
    with TemporaryDirectory() as folder:
        file, stored = Path(folder) / 'people.json', Path(folder) / 'samples.pkl'
        samples = generate(World(images, _JOINTS[kind]), file)
        stored.write_bytes(pickle.dumps(samples))
        found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
        for number in range(rounds):
            for side in sides[:: 1 if number % 2 else -1]:
                found[side].append(evaluate(side, kind, str(file), str(stored)))
    seconds = {side: median(each['seconds'] for each in of_side) for side, of_side in found.items()}
    memory = {side: median(each['MiB'] for each in of_side) for side, of_side in found.items()}
    row: dict[str, Any] = dict(evaluation=kind, images=images, predictions=len(samples))
    for side in _SIDES:
        row.update({f'{side}, s': seconds.get(side), f'{side}, MiB': memory.get(side)})
    if both:
        numbers = [found[side][0]['numbers'] for side in sides]
        row.update(
            {
                'times as fast': seconds['MMPose'] / seconds['here'],
                'times the memory': memory['here'] / max(memory['MMPose'], 1e-9),
                'largest difference': max(abs(numbers[0][name] - numbers[1][name]) for name in numbers[0]),
            }
        )
    return row if both else {**row, 'times as fast': None, 'times the memory': None, 'largest difference': None}


def measure(side: str, kind: str, file: str, stored: str) -> dict[str, Any]:
    """Time, memory and numbers of one side; what they are worth depends on what the process did before.

    Args:
        side: ``'MMPose'`` or ``'here'``.
        kind: ``'COCO'`` or ``'CrowdPose'``.
        file: The annotation file.
        stored: Pickled data samples.
    """
    import sdpose  # noqa: F401  (before MMPose)

    # isort: split
    from mmpose.datasets.datasets.utils import parse_pose_metainfo
    from mmpose.evaluation.metrics import CocoMetric

    from sdpose.evaluation import ArrayCocoMetric

    name = 'coco' if kind == 'COCO' else 'crowdpose'
    meta = parse_pose_metainfo(dict(from_file=f'configs/_base_/datasets/{name}.py'))
    samples = pickle.loads(Path(stored).read_bytes())
    before = most_memory(reset=True)
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):  # of xtcocotools, which prints
        metric = (CocoMetric if side == 'MMPose' else ArrayCocoMetric)(ann_file=file, **_OPTIONS[kind])
        metric.dataset_meta = meta
        for first in range(0, len(samples), _BATCH):
            metric.process([], samples[first : first + _BATCH])
        numbers = metric.evaluate(len(samples))
    seconds = time.process_time() - start
    return dict(
        seconds=seconds, MiB=most_memory() - before, numbers={name: float(value) for name, value in numbers.items()}
    )
