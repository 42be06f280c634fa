"""Whether two models predict the same, shown on random images.

Shapes: H and W the image size.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from sdpose.errors import MismatchError

TOLERANCE = 1e-6
_NUM_IMAGES = 2


def require_equal_outputs(before: nn.Module, after: nn.Module, image_size: tuple[int, int], source: str) -> float:
    """Let both models predict the same images, standard normal as preprocessed ones nearly are.

    Args:
        before: A model in eval mode.
        after: The model that claims to be the same.
        image_size: (H, W).
        source: What the message calls the models, usually the checkpoint's file.

    Returns:
        The largest absolute difference of any predicted number.

    Raises:
        MismatchError: If it is above ``TOLERANCE``, or the predictions are no finite numbers.
    """
    images = torch.randn(_NUM_IMAGES, 3, *image_size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first, second = ([*_tensors(model(images, None, mode='tensor'))] for model in (before, after))
    if not first or not all(value.isfinite().all() for value in first):
        raise MismatchError(f'{source}: the model predicts NaN or infinite numbers, or nothing; its weights are broken')
    difference = max((one.double() - other.double()).abs().max().item() for one, other in zip(first, second))
    if not difference <= TOLERANCE:
        raise MismatchError(
            f'{source}: the predictions before and after differ by {difference:.1e}, more than '
            f'{TOLERANCE:.0e}. A part that was taken out as training-only plays a part in predicting; '
            'nothing was written'
        )
    return difference


def _tensors(output: Any) -> Iterator[Tensor]:
    """Every tensor of a prediction: a tensor, or tuples and lists of them, some None."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, (tuple, list)):
        for item in output:
            yield from _tensors(item)
