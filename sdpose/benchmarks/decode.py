"""The decoding of heatmaps beside MMPose's codec, by the number of people at once."""

import argparse
from collections.abc import Callable
from statistics import median
from typing import Any

from .drawn import draw_heatmaps
from .table import Table

_SIZES = {'256x192': ((192, 256), (48, 64)), '384x288': ((288, 384), (72, 96))}
_NOTES = (
    'milliseconds of a person with 17 joints, DARK with a blur of 11 (17 at 384x288), medians of rounds in turns; '
    'MMPose decodes person by person, as its heads do',
    'peaks of a width of 2 with noise of 0.01, some beyond the border; largest difference: of any joint, in pixels of '
    'the input',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py decode``."""
    parser.add_argument('--batch', type=int, nargs='+', default=[1, 32, 128], help='people at once (default 1 32 128)')


def run(args: argparse.Namespace) -> list[Table]:
    """The table that the options ask for."""
    import cv2

    import sdpose  # noqa: F401  (registers the codec)

    from .machine import machine

    cv2.setNumThreads(args.threads)
    rounds = 2 if args.quick else 200
    rows = [
        _row(size, batch, max(2, rounds // batch if batch > 1 else rounds)) for size in _SIZES for batch in args.batch
    ]
    return [Table('Decoding beside MMPose', list(rows[0]), rows, (*_NOTES, machine()))]


def _row(size: str, batch: int, rounds: int) -> dict[str, Any]:
    """Both codecs on the same heatmaps."""
    import numpy as np
    from mmpose.registry import KEYPOINT_CODECS

    from .timing import interleaved, ratio

    (width, height), heatmap = _SIZES[size]
    given = dict(input_size=(width, height), heatmap_size=heatmap, sigma=2, unbiased=True)
    given['blur_kernel_size'] = 11 if size == '256x192' else 17
    theirs, ours = (KEYPOINT_CODECS.build(dict(given, type=kind)) for kind in ('MSRAHeatmap', 'BatchMSRAHeatmap'))
    maps = draw_heatmaps(batch, heatmap)
    variants: dict[str, Callable[[], Any]] = dict(
        MMPose=lambda: [theirs.decode(each) for each in maps], here=lambda: ours.batch_decode(maps)
    )
    times = interleaved(variants, rounds, warmup=2)
    expected = np.concatenate([joints for joints, _ in variants['MMPose']()])
    found = np.concatenate(variants['here']()[0])
    return {
        'input': size,
        'people at once': batch,
        'MMPose': median(times['MMPose']) / batch * 1e3,
        'here': median(times['here']) / batch * 1e3,
        'times as fast': ratio(times['MMPose'], times['here']),
        'largest difference': float(abs(expected - found).max()),
    }
