"""The host's side of a COCO evaluation in one number: load, crop, decode and metric, beside MMPose's."""

import pickle
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from .drawn import draw_heatmaps, draw_pictures
from .table import Table
from .timing import ratio

SIDES = ('MMPose', 'here')
_STEPS = ('load, crop and pack', 'decode', 'metric')
_PASSES = 4  # over the pictures and over the batches in a round, which begins with what the metric left of the cache
_DECODED = 8 * _PASSES  # batches in a round
_BOXES = 21  # of a detector on a picture of COCO's val2017: 104,291 on 5,000
_CODEC: dict[str, Any] = dict(input_size=(192, 256), heatmap_size=(48, 64), sigma=2, unbiased=True, blur_kernel_size=11)
_CODECS = {'MMPose': 'MSRAHeatmap', 'here': 'BatchMSRAHeatmap'}

Dataset = Callable[[Path, int, int, str], Any]


def together_table(build: Dataset, images: int, pictures: int, rounds: int, batch_size: int, quick: bool) -> Table:
    """Milliseconds per box of each step on both sides, in turns, and of all of them.

    Args:
        build: Makes the data set of a folder of pictures, given their number, the boxes on each and the side.
        images: Of the metric.
        pictures: That are loaded.
        rounds: That are timed.
        batch_size: Of what is decoded.
        quick: Whether to evaluate in this process, which is no number to cite.
    """
    from .generated_people import World, generate
    from .machine import machine

    with TemporaryDirectory() as name:
        folder, file, stored = Path(name), Path(name) / 'people.json', Path(name) / 'samples.pkl'
        draw_pictures(folder, pictures)
        samples = generate(World(images), file)
        stored.write_bytes(pickle.dumps(samples))
        datasets = {side: build(folder, pictures, _BOXES, side) for side in SIDES}
        evaluate = partial(_evaluated, file=str(file), stored=str(stored), boxes=len(samples), quick=quick)
        spent = _in_turns(datasets, evaluate, rounds, batch_size)
    rows = [_row(step, *(spent[side][step] for side in SIDES)) for step in _STEPS]
    sums = ([sum(costs) for costs in zip(*spent[side].values())] for side in SIDES)
    notes = (
        f"milliseconds of the processor per box, medians of {rounds} round(s) in turns; COCO's val2017: {len(samples)} "
        f'boxes on {images} pictures in the metric, {_BOXES} boxes on each of {pictures} drawn pictures of 640 x 480',
        f'decode: from heatmaps and those of mirror images, {batch_size} at once, to joints in the picture; DARK; the '
        'model is left out, and so are the processes in between',
        machine(),
    )
    rows.append(_row('together', *sums))
    return Table("The host's side of a COCO evaluation", list(rows[0]), rows, notes)


def _row(step: str, mmpose: Sequence[float], here: Sequence[float]) -> dict[str, Any]:
    return {'step': step, 'MMPose': median(mmpose), 'here': median(here), 'times as fast': ratio(mmpose, here)}


def _in_turns(
    datasets: dict[str, Any], evaluate: Callable[[str], float], rounds: int, batch_size: int
) -> dict[str, dict[str, list[float]]]:
    """Milliseconds per box by side and step, one for each round; the first round of all but the metric warms up."""
    from sdpose.datasets.samplers import GroupedByImageSampler

    order = list(GroupedByImageSampler(datasets['here']))
    heads = {side: _decoding(datasets[side], order[:batch_size], side) for side in SIDES}
    spent: dict[str, dict[str, list[float]]] = {side: {step: [] for step in _STEPS} for side in SIDES}
    for number in range(-1, rounds):
        for side in SIDES[:: 1 if number % 2 else -1]:
            load = partial(load_all, datasets[side], order * _PASSES)
            costs = [_cost(load, _PASSES * len(order)), _cost(*heads[side])]
            if number >= 0:
                for step, cost in zip(_STEPS, [*costs, evaluate(side)], strict=True):
                    spent[side][step].append(cost)
    return spent


def _cost(work: Callable[[], Any], boxes: int) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) / boxes * 1e3


def load_all(dataset: Any, order: Sequence[int]) -> None:
    """Make the samples of a data set at these places."""
    for index in order:
        dataset[index]


def _decoding(dataset: Any, indices: Sequence[int], side: str) -> tuple[Callable[[], Any], int]:
    """What decodes a batch several times, and how many boxes these are."""
    import torch
    from mmpose.models.heads import HeatmapHead
    from mmpose.models.pose_estimators import TopdownPoseEstimator

    from sdpose.models.estimators import DistillPoseEstimator
    from sdpose.models.heads import TokenPoseHead
    from sdpose.models.heads.mmpose_heads import with_forward_of

    samples = [dataset[index]['data_samples'] for index in indices]
    joints = torch.from_numpy(draw_heatmaps(len(samples), _CODEC['heatmap_size']))
    maps = [joints, joints.flip(-1)[:, samples[0].metainfo['flip_indices']]]
    decoder = dict(_CODEC, type=_CODECS[side])
    if side == 'MMPose':
        head = with_forward_of(HeatmapHead(1, 17, deconv_out_channels=None, decoder=decoder), None)
    else:
        head = with_forward_of(TokenPoseHead(8, decoder), None)
    head.forward = lambda given: given
    test_cfg = dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True)
    estimator: Any = SimpleNamespace(test_cfg=test_cfg)
    write = (TopdownPoseEstimator if side == 'MMPose' else DistillPoseEstimator).add_pred_to_datasample

    def decode() -> None:
        for _ in range(_DECODED):
            found = head.predict(maps, samples, test_cfg=test_cfg)
            write(estimator, found, None, samples)

    return decode, _DECODED * len(samples)


def _evaluated(side: str, file: str, stored: str, boxes: int, quick: bool) -> float:
    """Milliseconds of the metric per box."""
    from .metric import measure
    from .processes import caller

    found = caller(quick)(measure, side, 'COCO', file, stored)
    return found['seconds'] / boxes * 1e3
