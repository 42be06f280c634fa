"""Until a training has its annotations: the checks before a run and the data set, beside MMPose's data set alone."""

import contextlib
import io
import shutil
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from .machine import machine
from .processes import caller, most_memory
from .table import Table

_SIDES = ('CocoDataset of MMPose, without checks', 'checks and data set, first start', 'the same, following start')
_PEOPLE = 2.219  # annotated in an image of COCO's train2017, on average


def start_table(images: int, rounds: int, quick: bool = False) -> Table:
    """Time and memory of each side.

    Args:
        images: How many the generated annotation file lists; 118,287 has COCO's train2017.
        rounds: Starts of each side.
        quick: Whether to measure in this process, which is no number to cite.
    """
    from sdpose.io.annotation_store.cache import FOLDER

    from .generated_people import write_training_file, write_training_images

    found: dict[str, list[dict[str, float]]] = {side: [] for side in _SIDES}
    call = caller(quick)
    with TemporaryDirectory() as folder:
        file, pictures = Path(folder) / 'train.json', Path(folder) / 'images'
        people = round(images * _PEOPLE)
        write_training_images(pictures, write_training_file(file, images, people))
        for _ in range(rounds):
            shutil.rmtree(Path(folder) / FOLDER, ignore_errors=True)
            for side in _SIDES:
                found[side].append(call(measure, side is _SIDES[0], str(file), str(pictures)))
        size = file.stat().st_size / 2**20
    time_of, memory_of = (
        {side: median(each[key] for each in of_side) for side, of_side in found.items()} for key in ('seconds', 'MiB')
    )
    rows: list[dict[str, Any]] = [
        {
            'start': side,
            's': time_of[side],
            'MiB': memory_of[side],
            'times the time': time_of[side] / time_of[_SIDES[0]],
            'times the memory': memory_of[side] / max(memory_of[_SIDES[0]], 1e-9),
        }
        for side in _SIDES
    ]
    notes = (
        f'generated: {images} images, {people} people with polygons, {size:.0f} MiB; seconds of the processor and the '
        f'most memory beyond what the process has before, mapped pages included; medians of {rounds} round(s), each '
        'start in a process of its own',
        machine(),
    )
    return Table('Start with annotations of this size', tuple(rows[0]), rows, notes)


def measure(mmpose: bool, file: str, pictures: str) -> dict[str, float]:
    """Time and memory of a start.

    Args:
        mmpose: Whether to build MMPose's ``CocoDataset``; else to check and to build ``ArrayCocoDataset``.
        file: The annotation file.
        pictures: The folder of the images.
    """
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import DATASETS

    import sdpose  # noqa: F401
    from sdpose.preflight.datasets import check_datasets

    init_default_scope('mmpose')
    kind = 'CocoDataset' if mmpose else 'ArrayCocoDataset'
    dataset = dict(type=kind, ann_file=file, data_prefix=dict(img=f'{pictures}/'), pipeline=[])
    cfg = Config(dict(model={}, train_dataloader=dict(dataset=dataset)))
    before, start = most_memory(reset=True), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        if not mmpose:
            check_datasets(cfg, ('train',))
        DATASETS.build(cfg.train_dataloader.dataset)
    return dict(seconds=time.process_time() - start, MiB=most_memory() - before)
