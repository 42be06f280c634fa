"""From pictures and boxes to key points: ``PoseInferencer`` beside a loop over MMPose's ``inference_topdown``."""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial, wraps
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from .drawn import draw_heatmaps, draw_pictures
from .table import Table

_CONFIG = 'sdpose-s-v1_stemnet_8xb64-300e_coco-256x192'
_BASELINES = ('inference_topdown', 'inference_topdown, arrays')
_HERE = 'PoseInferencer'
_NOTES = (
    "milliseconds of the processor per person (all threads), medians of rounds in turns; random weights, the config's "
    'flip test; pictures are drawn, 640 x 480, JPEG, in the page cache; heatmaps are exchanged for drawn ones, since a '
    "random model's cost more to decode",
    'host: everything but backbone, neck and head, decoding of the picture included; ratios are medians over rounds',
    "inference_topdown, with MMPose's LoadImage and codec, gets the name of a picture and all its boxes, as in a loop "
    'over files; arrays: the loop reads the picture with OpenCV first',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py demo``."""
    parser.add_argument('--config', default=_CONFIG, help='a config or its name (default: %(default)s)')
    parser.add_argument(
        '--people', type=int, nargs='+', default=[1, 4, 10, 20], help='on a picture (default: 1 4 10 20)'
    )
    parser.add_argument('--pictures', type=int, default=8, help='how many (default: 8)')
    parser.add_argument('--batch-size', type=int, help="people at once here (default: the inferencer's)")


def run(args: argparse.Namespace) -> list[Table]:
    """The tables that the options ask for."""
    import cv2
    import torch
    from mmengine.registry import init_default_scope

    import sdpose
    from sdpose.io.checkpoint import write_checkpoint

    from .machine import machine

    cv2.setNumThreads(args.threads)
    torch.set_num_threads(args.threads)
    init_default_scope('mmpose')
    rounds, pictures, people = (2, 2, args.people[:2]) if args.quick else (5, args.pictures, args.people)
    with TemporaryDirectory() as folder:
        model = _mmpose_model(args.config)
        weights = str(Path(folder, 'random.pth'))
        write_checkpoint(dict(state_dict=model.state_dict()), weights)
        inferencer = sdpose.PoseInferencer(args.config, weights, batch_size=args.batch_size)
        draw_pictures(Path(folder), pictures)
        files = [str(Path(folder, f'{number}.jpg')) for number in range(pictures)]
        deployed = inferencer.model.infer.model  # type: ignore[attr-defined]  # of a checkpoint
        forward = _Forward([model, deployed], model.dataset_meta['flip_indices'])
        rows = [_row(model, inferencer, forward, files, count, rounds) for count in people]
    notes = (*_NOTES, f'{args.config}; {machine()}')
    return [Table('Key points of people in pictures, by people on a picture', list(rows[0]), rows, notes)]


def _mmpose_model(config: str) -> Any:
    """The config's model with random weights, read and decoded by MMPose's own parts."""
    from mmpose.apis import init_model

    from sdpose.config.load import load_config

    cfg = load_config(config)
    decoder = cfg.model.head.decoder
    decoder.type = {'BatchMSRAHeatmap': 'MSRAHeatmap'}.get(decoder.type, decoder.type)
    pipeline = cfg.test_dataloader.dataset.pipeline
    pipeline[:] = [dict(type='LoadImage') if step.type == 'LoadCheckedImage' else step for step in pipeline]
    return init_model(cfg, device='cpu')


class _Forward:
    """The time of backbone, neck and head, as the processor counts it; heatmaps are exchanged for drawn ones.

    Attributes:
        seconds: The sum so far.
    """

    def __init__(self, models: Sequence[Any], order: Sequence[int]) -> None:
        self.seconds, self._order = 0.0, list(order)
        self._maps: tuple[Any, ...] = ()
        self._mirrored = True  # the views of a flip test come in turns
        for model in models:
            model.extract_feat = self._timed(model.extract_feat)
            model.head.forward = self._drawn(self._timed(model.head.forward))

    def _drawn(self, forward: Callable) -> Callable:

        def drawn(*args: Any, **kwargs: Any) -> Any:
            import torch

            found = forward(*args, **kwargs)
            if getattr(found, 'ndim', 0) != 4:
                return found
            count, joints, height, width = found.shape
            if not self._maps or len(self._maps[0]) < count:
                maps = torch.from_numpy(draw_heatmaps(max(count, 32), (width, height), joints))
                self._maps = maps, maps[:, self._order].flip(-1)
            self._mirrored = not self._mirrored
            return self._maps[self._mirrored][:count]

        return drawn

    def _timed(self, function: Callable) -> Callable:

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            begin = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.process_time() - begin

        return timed


def _row(
    model: Any, inferencer: Any, forward: _Forward, files: Sequence[str], people: int, rounds: int
) -> dict[str, Any]:
    """All variants in turns over the same boxes."""
    import cv2
    import numpy as np
    from mmpose.apis import inference_topdown

    rng = np.random.default_rng(people)
    corners = rng.uniform((0, 0, 60, 80), (400, 250, 240, 230), (len(files), people, 4))
    boxes = np.concatenate([corners[..., :2], corners[..., :2] + corners[..., 2:]], axis=-1).astype(np.float32)

    def loop(read: Callable[[str], Any]) -> None:
        for file, found in zip(files, boxes):
            inference_topdown(model, read(file), found)

    variants: dict[str, Callable[[], Any]] = {
        _BASELINES[0]: partial(loop, lambda file: file),
        _BASELINES[1]: partial(loop, cv2.imread),
        _HERE: partial(inferencer, list(files), list(boxes)),
    }
    total, host = _timed_rounds(variants, forward, rounds)
    count = len(files) * people
    row: dict[str, Any] = {'people on a picture': people}
    for name in variants:
        row[f'{name}: total'] = median(total[name]) / count * 1e3
        row[f'{name}: host'] = median(host[name]) / count * 1e3
    row['total, times as fast'] = median(a / b for a, b in zip(total[_BASELINES[0]], total[_HERE]))
    for name, baseline in zip(('host, share', 'host, share of arrays'), _BASELINES):
        row[name] = median(b / a for a, b in zip(host[baseline], host[_HERE]))
    return row


def _timed_rounds(
    variants: dict[str, Callable[[], Any]], forward: _Forward, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds of the processor of every round, in all and without the forward passes."""
    from .timing import interleaved

    inside: dict[str, list[float]] = {name: [] for name in variants}

    def counted(name: str) -> None:
        before = forward.seconds
        variants[name]()
        inside[name].append(forward.seconds - before)

    times = interleaved({name: partial(counted, name) for name in variants}, rounds, clock=time.process_time)
    host = {name: [whole - part for whole, part in zip(times[name], inside[name][-rounds:])] for name in variants}
    return times, host
