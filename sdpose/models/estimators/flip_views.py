"""The views of a test, the images and for a flip test their mirror images: as one batch, or one after the other.

Shapes: B batch, H and W the image size in pixels.
"""

import logging
from collections.abc import Callable
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from sdpose.structures import CycleTokens, TokenSet


def extract_views(extract: Callable[[Tensor], Any], images: Tensor, test_cfg: dict[str, Any]) -> list[Any]:
    """What a head reads of the images, and with ``flip_test`` of their mirror images, too.

    In eval mode no image depends on the others of its batch, so that both ways give the same but for rounding. One
    batch of 2 B images is half as many starts of a GPU's kernels; on a CPU, whose caches it outgrows, it was slower.

    Args:
        extract: The features of a batch of images: maps, or the tokens of cycles.
        images: The preprocessed images, (B, 3, H, W).
        test_cfg: ``flip_together`` says whether both views are one batch; without it they are on a GPU alone. It is
            set to False where memory does not hold both, or features are of a kind that cannot be divided.
    """
    if not test_cfg.get('flip_test', False):
        return [extract(images)]
    together = test_cfg.get('flip_together')
    if images.is_cuda if together is None else together:
        try:
            both = extract(torch.cat([images, images.flip(-1)]))
            return [_part(both, slice(len(images))), _part(both, slice(len(images), None))]
        except (torch.cuda.OutOfMemoryError, _UndividedError) as error:
            why = str(error).partition('\n')[0]
            said = f'flip test: one view after the other, both at once are not possible ({why})'
            print_log(said, 'current', logging.WARNING)
            test_cfg['flip_together'] = False
    return [extract(images), extract(images.flip(-1))]


class _UndividedError(Exception):
    """Features that cannot be divided by images."""


def _part(feats: Any, images: slice) -> Any:
    """The features of some of the images."""
    if isinstance(feats, CycleTokens):
        return feats._replace(cycles=tuple(tokens.rows(images) for tokens in feats.cycles))
    if isinstance(feats, TokenSet):
        return feats.rows(images)
    if isinstance(feats, Tensor):
        return feats[images]
    if type(feats) in (tuple, list):
        return type(feats)(_part(each, images) for each in feats)
    raise _UndividedError(f'features of the kind {type(feats).__name__}')
