"""What the host's work costs as it grows: boxes on a picture, images, annotations, workers and processes; as curves."""

import argparse
import os
import time
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from .table import Table

_NOTES = (
    'boxes: loading and cropping of an evaluation; images: from the annotation file to the ten numbers; annotations: '
    "checks and data set here on the first start, MMPose's data set without checks; seconds of the processor",
    'workers: samples of a training per second of the clock, full JPEGs; processes: seconds of the clock of the same '
    'evaluation whose predictions lie in several processes, gathered over gloo',
)


class Point(NamedTuple):
    """One point of a curve.

    Attributes:
        what: The curve.
        value: Along.
        unit: Up.
        mmpose: MMPose's; None where it is not measured.
        here: This project's.
    """

    what: str
    value: int
    unit: str
    mmpose: float | None
    here: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py scale``."""
    parser.add_argument('--plot', metavar='FILE.png', help='draw the curves there')
    parser.add_argument('--boxes', type=int, nargs='+', default=[1, 2, 5, 10, 20, 40], help='boxes on a picture')
    parser.add_argument(
        '--images', type=int, nargs='+', default=[1000, 5000, 20000, 50000], help='images of the metric'
    )
    parser.add_argument('--most-mmpose', type=int, default=5000, help='the most images that MMPose is measured at')
    parser.add_argument(
        '--annotations', type=int, nargs='+', default=[1000, 10000, 118287], help='images of the annotation file'
    )
    cores = os.cpu_count() or 1
    parser.add_argument('--workers', type=int, nargs='+', default=[*range(cores + 1)], help='processes that load')
    parser.add_argument('--processes', type=int, nargs='+', default=[1, 2], help='processes of an evaluation')


def run(args: argparse.Namespace) -> list[Table]:
    """One table of all points; the curves as a picture where the options name one."""
    import cv2
    from mmengine.registry import init_default_scope

    import sdpose  # noqa: F401  (registers what the configs name)

    from .machine import machine

    cv2.setNumThreads(args.threads)
    init_default_scope('mmpose')
    sizes = args
    if args.quick:
        sizes = argparse.Namespace(
            boxes=[1, 3], images=[20, 40], most_mmpose=20, annotations=[30], workers=[0, 1], processes=[1, 2]
        )
    points = [
        *_by_boxes(sizes.boxes, 2 if args.quick else 8, 2 if args.quick else 5),
        *_by_images(sizes.images, sizes.most_mmpose, args.quick),
        *_by_annotations(sizes.annotations, args.quick),
        *_by_workers(sizes.workers, 1 if args.quick else 8),
        *_by_processes(sizes.processes, 20 if args.quick else 5000),
    ]
    rows = [
        {'what': each.what, 'value': each.value, 'unit': each.unit, 'MMPose': each.mmpose, 'here': each.here}
        for each in points
    ]
    if args.plot:
        draw(points, args.plot)
    return [Table('What it costs as it grows', tuple(rows[0]), rows, (*_NOTES, machine()))]


def _by_boxes(counts: list[int], pictures: int, rounds: int) -> list[Point]:
    from .drawn import draw_pictures
    from .test import boxes_row

    with TemporaryDirectory() as folder:
        draw_pictures(Path(folder), pictures)
        rows = [boxes_row(Path(folder), pictures, count, rounds, 32) for count in counts]
    unit = 'ms per box'
    return [
        Point('boxes on a picture', count, unit, row['load and crop, MMPose'], row['load and crop, here'])
        for count, row in zip(counts, rows)
    ]


def _by_images(counts: list[int], most: int, quick: bool) -> list[Point]:
    from .metric import evaluation_row, measure
    from .processes import caller

    evaluate = partial(caller(quick), measure)
    rows = [evaluation_row('COCO', count, 1, evaluate, count <= most) for count in counts]
    return [Point('images of the metric', row['images'], 's', row.get('MMPose, s'), row['here, s']) for row in rows]


def _by_annotations(counts: list[int], quick: bool) -> list[Point]:
    from .start import start_table

    tables = [start_table(count, 1, quick) for count in counts]
    return [
        Point('images of the annotation file', count, 's', table.rows[0]['s'], table.rows[1]['s'])
        for count, table in zip(counts, tables)
    ]


def _by_workers(counts: list[int], times: int) -> list[Point]:
    """Training samples per second of the clock, through MMEngine's loader."""
    from .data import drawn_loaders

    points = []
    with drawn_loaders(10 * times) as loaders:
        for workers in counts:
            rates = {name: _rate(dataset, workers, times) for name, dataset in loaders.items()}
            points.append(Point('workers', workers, 'samples/s', rates['MMPose'], rates['SDPose']))
    return points


def _rate(dataset: Any, workers: int, times: int) -> float:
    """Samples per second of a data set, in batches of 8, over passes behind the first, which starts the workers."""
    from mmengine.dataset import pseudo_collate
    from torch.utils.data import DataLoader

    loader = DataLoader(
        dataset, batch_size=8, num_workers=workers, collate_fn=pseudo_collate, persistent_workers=workers > 0
    )
    for _ in loader:
        pass
    seconds = []
    for _ in range(max(times // 2, 1)):
        start = time.perf_counter()
        for _ in loader:
            pass
        seconds.append(time.perf_counter() - start)
    return len(dataset) / median(seconds)


def _by_processes(counts: list[int], images: int) -> list[Point]:
    import pickle

    from .generated_people import World, generate

    with TemporaryDirectory() as folder:
        file = Path(folder) / 'people.json'
        Path(folder, 'samples.pkl').write_bytes(pickle.dumps(generate(World(images, 17), file)))
        return [
            Point('processes of an evaluation', count, 's', None, _evaluated_by(count, str(file), folder))
            for count in counts
        ]


def _evaluated_by(count: int, file: str, folder: str) -> float:
    """Seconds of the clock until the first process has the numbers."""
    import torch.multiprocessing as processes

    said = Path(folder) / f'seconds{count}'
    processes.spawn(_evaluate, (count, file, folder, str(said)), nprocs=count)
    return float(said.read_text())


def _evaluate(rank: int, count: int, file: str, folder: str, said: str) -> None:
    """One process with its share of the predictions, as the sampler deals them."""
    import contextlib
    import io
    import pickle

    import torch.distributed as dist

    import sdpose  # noqa: F401

    # isort: split
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    from sdpose.evaluation import ArrayCocoMetric

    os.chdir(folder)  # where MMEngine leaves a folder of its own
    dist.init_process_group('gloo', init_method=f'file://{said}.group', rank=rank, world_size=count)
    samples = pickle.loads(Path(folder, 'samples.pkl').read_bytes())
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        metric = ArrayCocoMetric(ann_file=file)
        metric.dataset_meta = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
        dist.barrier()
        start = time.perf_counter()
        metric.process([], samples[rank::count])
        metric.evaluate(len(samples))
    if rank == 0:
        Path(said).write_text(str(time.perf_counter() - start))
    dist.destroy_process_group()


def draw(points: list[Point], file: str) -> None:
    """A panel for each curve.

    Args:
        points: Of all curves.
        file: The picture, a PNG.
    """
    from matplotlib.ticker import MaxNLocator

    from sdpose.visualization.figures.base import COLORS, new_figure, write_figure

    kinds = list(dict.fromkeys(point.what for point in points))
    figure = new_figure(3.1 * len(kinds), 2.9, 'What it costs as it grows')
    for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds):
        some = [point for point in points if point.what == kind]
        for place, name in enumerate(('here', 'mmpose')):
            curve = [(point.value, value) for point in some if (value := getattr(point, name)) is not None]
            if curve:
                label = {'here': 'SDPose', 'mmpose': 'MMPose'}[name]
                axes.plot(*zip(*curve), marker='o', color=COLORS[place], label=label, markersize=4)
        axes.set(xlabel=kind, ylabel=some[0].unit)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_ylim(0, 1.08 * max(value for point in some for value in (point.here, point.mmpose or 0)))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    write_figure(figure, Path(file))
