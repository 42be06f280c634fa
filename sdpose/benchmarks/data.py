"""The training loader beside MMPose's own pipeline of the same settings, sample for sample, and the start before it."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from .machine import machine
from .start import start_table
from .table import Table
from .timing import interleaved, ratio

_Loader = tuple[Any, Sequence[Any]]  # a data set and the steps that its samples go through
_ON_DEVICE = 'SDPose, raw crops, warped by the device'
_MMPOSE = dict(
    LoadCheckedImage='LoadImage',
    RejectionBBoxTransform='RandomBBoxTransform',
    WindowedAffine='TopdownAffine',
    DeferredTarget='GenerateTarget',
    PackTrainingInputs='PackPoseInputs',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py data``."""
    parser.add_argument('--ann-file', metavar='JSON', help='COCO key points to read instead of drawn people')
    parser.add_argument('--images', metavar='DIR', help='the folder of their pictures')
    parser.add_argument('--rounds', type=int, default=30, help='rounds that are timed (default 30)')
    parser.add_argument('--images-per-second', type=float, default=1000, help='what one GPU trains (default 1000)')
    parser.add_argument(
        '--start-images',
        type=int,
        default=118287,
        metavar='N',
        help="images of the annotation file for the table of starts (default 118287, as COCO's train2017; 0: no table)",
    )
    parser.add_argument('--start-rounds', type=int, default=3, metavar='N', help='starts of each side (default 3)')
    parser.add_argument('--gpus', type=int, default=8, help='GPUs to feed (default 8)')


def run(args: argparse.Namespace) -> list[Table]:
    """Speed and bytes of both loaders, the share of each step, and what a start takes.

    Raises:
        UserError: If one of ``--ann-file`` and ``--images`` is given without the other, or they are missing or wrong.
    """
    from sdpose.errors import UserError

    if bool(args.ann_file) != bool(args.images):
        raise UserError('--ann-file and --images belong together: give both, or none for drawn people')
    if args.ann_file:
        _check(args.ann_file, args.images)
    with TemporaryDirectory() as folder:
        drawn = None if args.ann_file else _drawn(Path(folder), 4 if args.quick else 40)
        ann_file, images = drawn or (args.ann_file, args.images)
        tables = _tables(args, ann_file, images, Path(folder))
    count, rounds = (min(args.start_images, 300), 1) if args.quick else (args.start_images, args.start_rounds)
    return [*tables, start_table(count, rounds, args.quick)] if count else tables


@contextmanager
def drawn_loaders(pictures: int) -> Iterator[dict[str, Any]]:
    """Data sets of drawn people with MMPose's steps and with these, for as long as their pictures are there.

    Args:
        pictures: How many are drawn.
    """
    with TemporaryDirectory() as folder:
        ann_file, images = _drawn(Path(folder), pictures)
        with redirect_stdout(StringIO()):  # of xtcocotools, which prints
            ours, mmposes = _dataset(ann_file, images), _dataset(ann_file, images, kind='CocoDataset')
        mmposes.pipeline.transforms = _steps_of_mmpose(ours.pipeline.transforms)
        yield {'MMPose': mmposes, 'SDPose': ours}


def _drawn(folder: Path, count: int) -> tuple[str, str]:
    """Annotation file and pictures of drawn people, as large as COCO's."""
    from sdpose.synthetic.generate import generate
    from sdpose.synthetic.request import Request

    generate(folder / 'drawn', Request(count, 0, 0, 'starter', (640, 480)), workers=1)
    return str(folder / 'drawn/annotations/train.json'), str(folder / 'drawn/train')


def _tables(args: argparse.Namespace, ann_file: str, images: str, folder: Path) -> list[Table]:
    import cv2
    import torch

    cv2.setNumThreads(args.threads)
    torch.set_num_threads(args.threads)
    ours = _dataset(ann_file, images)
    caches = {name: _cache(ann_file, images, folder / name, name) for name in ('raw', 'jpeg')}
    cached = {f'SDPose, {name} crops': _dataset(ann_file, images, folder / name) for name in caches}
    cached[_ON_DEVICE] = _dataset(ann_file, images, folder / 'raw', affine='DeferredAffine')
    mmposes = _dataset(ann_file, images, kind='CocoDataset')
    loaders: dict[str, _Loader] = {'MMPose': (mmposes, _steps_of_mmpose(ours.pipeline.transforms))}
    loaders.update({name: (each, each.pipeline.transforms) for name, each in {'SDPose': ours, **cached}.items()})
    order = range(min(len(ours), 4 if args.quick else 60))
    rounds = 2 if args.quick else args.rounds
    works = {name: _work(loader, order) for name, loader in loaders.items()}
    times = interleaved(works, rounds, clock=process_time)
    speed = {name: len(order) / median(times[name]) for name in loaders}
    sent = {name: mean(_bytes(_made(loader, index)) for index in order) for name, loader in loaders.items()}
    rows = [
        dict(loader=name, ms=1e3 / speed[name], samples_per_s=speed[name], speed=ratio(times['MMPose'], times[name]),
             KiB=sent[name] / 1024, bytes=sent[name] / sent['MMPose'],
             cores=args.gpus * args.images_per_second / speed[name])
        for name in loaders
    ]  # fmt: skip
    people = ' and '.join(f'{size / len(ours) / 1024:.0f} KiB a person as {name}' for name, size in caches.items())
    notes = (
        f'{len(order)} samples, {rounds} rounds in turns, medians of CPU time, {args.threads} thread(s).',
        machine(),
        f'cores: those that {args.gpus} GPU(s) of {args.images_per_second:g} images/s need.',
        f'crops, in memory: {people}.',
        'warped by the device: left to the preprocessor (DeferredAffine), whose time is not counted.',
    )
    title = "Training samples, beside MMPose's own steps at the same settings"
    return [Table(title, tuple(rows[0]), rows, notes), _shares(loaders, order)]


def _config(
    ann_file: str, images: str, load: dict[str, Any], kind: str = 'ArrayCocoDataset', affine: str = 'WindowedAffine'
) -> dict[str, Any]:
    codec = dict(type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2, unbiased=True)
    pipeline = [
        load,
        dict(type='GetBBoxCenterScale'),
        dict(type='RandomFlip'),
        dict(type='RandomHalfBody'),
        dict(type='RejectionBBoxTransform', scale_factor=(0.65, 1.35), rotate_factor=90.0),
        dict(type=affine, input_size=(192, 256)),
        dict(type='DeferredTarget', encoder=codec),
        dict(type='PackTrainingInputs'),
    ]
    return dict(type=kind, ann_file=ann_file, data_prefix=dict(img=images), pipeline=pipeline)


def _dataset(ann_file: str, images: str, cache: Path | None = None, **options: str) -> Any:
    from mmengine.registry import init_default_scope
    from mmpose.registry import DATASETS

    import sdpose  # noqa: F401

    init_default_scope('mmpose')
    load = dict(type='LoadCachedCrop', cache=str(cache)) if cache else dict(type='LoadCheckedImage')
    return DATASETS.build(_config(ann_file, images, load, **options))


def _check(ann_file: str, images: str) -> None:
    """Look at data as before a training.

    Raises:
        UserError: If a file is missing or wrong.
    """
    from mmengine.config import Config

    import sdpose  # noqa: F401
    from sdpose.preflight.datasets import check_datasets

    dataset = _config(ann_file, images, dict(type='LoadCheckedImage'))
    check_datasets(Config(dict(train_dataloader=dict(dataset=dataset))), ('train',))


def _cache(ann_file: str, images: str, out: Path, form: str) -> int:
    """Make a crop cache; returns its bytes."""
    from mmengine.config import Config

    from sdpose.datasets.crop_cache.build import Storing, build_crop_cache

    dataset = _config(ann_file, images, dict(type='LoadCheckedImage'))
    return build_crop_cache(Config(dict(train_dataloader=dict(dataset=dataset))), out, Storing(form), '').bytes


def _steps_of_mmpose(steps: Sequence[Any]) -> list[Any]:
    from mmpose.registry import TRANSFORMS

    made = []
    for step in steps:
        name = _MMPOSE.get(type(step).__name__)
        options: dict[str, Any] = {}
        if name == 'RandomBBoxTransform':
            options = dict(scale_factor=step.scale_factor, rotate_factor=step.rotate_factor)
        if name == 'TopdownAffine':
            options = dict(input_size=step.input_size)
        if name == 'GenerateTarget':
            options = dict(encoder=step.encoder_cfg)
        made.append(TRANSFORMS.build(dict(type=f'mmpose.{name}', **options)) if name else step)
    return made


def _made(loader: _Loader, index: int) -> Any:
    dataset, steps = loader
    sample = dict(dataset.get_data_info(index), dataset=dataset)
    for step in steps:
        sample = step(sample)
    return sample


def _work(loader: _Loader, order: Sequence[int]) -> Callable[[], None]:
    import numpy as np

    def load() -> None:
        np.random.seed(0)
        for index in order:
            _made(loader, index)

    return load


def _bytes(sample: Any) -> int:
    """Bytes of the image, the labels and the fields of a packed sample."""
    import torch

    held = sample['data_samples']
    parts = [held.gt_instance_labels, *([held.gt_fields] if 'gt_fields' in held else [])]
    values = [sample['inputs'], *(value for part in parts for value in part.values())]
    return sum(value.nbytes for value in values if torch.is_tensor(value))


def _shares(loaders: dict[str, _Loader], order: Sequence[int]) -> Table:
    """Milliseconds of each step."""
    spent: dict[str, list[float]] = {name: [0.0] * (len(steps) + 1) for name, (_, steps) in loaders.items()}
    for name, (dataset, steps) in loaders.items():
        for index in order:
            start = process_time()
            sample = dict(dataset.get_data_info(index), dataset=dataset)
            spent[name][0] += process_time() - start
            for number, step in enumerate(steps, 1):
                start = process_time()
                sample = step(sample)
                spent[name][number] += process_time() - start
    names = ['annotation', *(type(step).__name__ for step in loaders['SDPose'][1])]
    rows = [
        {'step': names[number], **{f'{name} ms': 1e3 * spent[name][number] / len(order) for name in spent}}
        for number in range(len(names))
    ]
    return Table('Milliseconds of each step', tuple(rows[0]), rows, ('CPU time, means of one pass.',))
