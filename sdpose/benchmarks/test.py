"""The host's side of an evaluation beside MMPose's: loading by the number of boxes on a picture, and all together."""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from .drawn import SIZE, draw_pictures
from .table import Table
from .together import SIDES, load_all, together_table

_CROP = dict(input_size=(192, 256))
_DATA: dict[str, tuple[str, list[dict[str, Any]]]] = {  # the data set and its pipeline
    'MMPose': (
        'CocoDataset',
        [
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', **_CROP),
            dict(type='PackPoseInputs'),
        ],
    ),
    'here': (  # of configs/_base_/datasets/coco_256x192.py
        'ArrayCocoDataset',
        [
            dict(type='LoadCheckedImage', keep_last=True, writable=False),
            dict(type='GetBBoxCenterScale'),
            dict(type='WindowedAffine', **_CROP),
            dict(type='PackTestInputs'),
        ],
    ),
}
_NOTES = (
    'milliseconds of the processor per box, medians of rounds in turns; pictures are drawn, 640 x 480, JPEG, in the '
    'page cache',
    'load and crop: picture to 192 x 256 pixels; whole sample: from the entry of the data set to the packed tensor',
    'decodes per box where batches go to workers in turns: a picture whose boxes two batches share is decoded twice',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py test``."""
    parser.add_argument(
        '--boxes', type=int, nargs='+', default=[1, 5, 20, 30, 100], help='boxes on a picture (COCO val2017: 21)'
    )
    parser.add_argument('--pictures', type=int, default=8, help='pictures of each kind (default 8)')
    parser.add_argument(
        '--batch-size', type=int, default=32, help='for the number of decodes, and of what is decoded (default 32)'
    )
    parser.add_argument(
        '--together-images',
        type=int,
        default=5000,
        metavar='N',
        help="images of the metric in the table of all steps (default 5000, as COCO's val2017; 0: no table)",
    )
    parser.add_argument('--together-rounds', type=int, default=5, metavar='N', help='rounds of that table (default 5)')


def run(args: argparse.Namespace) -> list[Table]:
    """The tables that the options ask for."""
    import cv2
    from mmengine.registry import init_default_scope

    import sdpose  # noqa: F401  (registers what the configs name)

    from .machine import machine

    cv2.setNumThreads(args.threads)
    init_default_scope('mmpose')
    rounds, pictures, boxes = (3, 2, args.boxes[:2]) if args.quick else (9, args.pictures, args.boxes)
    with TemporaryDirectory() as folder:
        draw_pictures(Path(folder), pictures)
        rows = [boxes_row(Path(folder), pictures, count, rounds, args.batch_size) for count in boxes]
    tables = [Table('Loading an evaluation, by boxes on a picture', list(rows[0]), rows, (*_NOTES, machine()))]
    if args.together_images:
        images, rounds = (20, 1) if args.quick else (args.together_images, args.together_rounds)
        tables.append(together_table(evaluation_data, images, pictures, rounds, args.batch_size, args.quick))
    return tables


def evaluation_data(folder: Path, pictures: int, boxes: int, side: str) -> Any:
    """The data set of a detector's boxes on drawn pictures.

    Args:
        folder: Of the pictures, where the annotation file and the boxes are written, too.
        pictures: How many there are.
        boxes: On each of them.
        side: ``'MMPose'`` or ``'here'``.
    """
    import contextlib
    import io

    import numpy as np
    from mmpose.registry import DATASETS

    rng = np.random.default_rng(boxes)
    corners = rng.uniform((0, 0, 60, 80), (400, 250, 240, 230), (pictures * boxes, 4)).tolist()
    found = [dict(image_id=place // boxes + 1, category_id=1, bbox=box, score=0.5) for place, box in enumerate(corners)]
    images = [
        dict(id=number + 1, file_name=f'{number}.jpg', width=SIZE[0], height=SIZE[1]) for number in range(pictures)
    ]
    (folder / 'boxes.json').write_text(json.dumps(found))
    (folder / 'images.json').write_text(json.dumps(dict(images=images, annotations=[], categories=[])))
    kind, pipeline = _DATA[side]
    with contextlib.redirect_stdout(io.StringIO()):  # of xtcocotools, which prints
        return DATASETS.build(
            dict(
                type=kind,
                ann_file=str(folder / 'images.json'),
                bbox_file=str(folder / 'boxes.json'),
                data_prefix=dict(img=str(folder)),
                test_mode=True,
                pipeline=pipeline,
            )
        )


def boxes_row(folder: Path, pictures: int, boxes: int, rounds: int, batch_size: int) -> dict[str, Any]:
    """Both pipelines in turns over the same boxes.

    Args:
        folder: Of the pictures.
        pictures: How many there are.
        boxes: On each of them.
        rounds: That are timed.
        batch_size: For the number of decodes.
    """
    from sdpose.datasets.samplers import GroupedByImageSampler

    from .timing import interleaved, ratio

    built = {side: evaluation_data(folder, pictures, boxes, side) for side in SIDES}
    order = list(GroupedByImageSampler(built['here']))
    entries = [built['MMPose'].get_data_info(index) for index in order]
    variants: dict[str, Callable[[], Any]] = {}
    for name, dataset in built.items():
        variants[f'crop {name}'] = partial(_crop, dataset.pipeline.transforms[:3], entries)
        variants[f'whole {name}'] = partial(load_all, dataset, order)
    times = interleaved(variants, rounds, clock=time.process_time)
    cost = {name: median(seconds) / len(order) * 1e3 for name, seconds in times.items()}
    shared = {(place // batch_size, entry['img_path']) for place, entry in enumerate(entries)}
    return {
        'boxes on a picture': boxes,
        'load and crop, MMPose': cost['crop MMPose'],
        'load and crop, here': cost['crop here'],
        'times as fast': ratio(times['crop MMPose'], times['crop here']),
        'whole sample, MMPose': cost['whole MMPose'],
        'whole sample, here': cost['whole here'],
        'times as fast, whole': ratio(times['whole MMPose'], times['whole here']),
        f'decodes per box, batches of {batch_size}': len(shared) / len(order),
    }


def _crop(steps: Sequence[Callable[[dict], dict]], entries: Sequence[dict[str, Any]]) -> None:
    for entry in entries:
        sample = dict(entry)
        for step in steps:
            sample = step(sample)
