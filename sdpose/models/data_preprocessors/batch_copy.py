"""A batch on its way to the device: one copy for each kind of value, not one for each sample, and none is waited for.

Shapes: B batch, C channels, H and W the image size in pixels.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor


def copy_images(images: Tensor | Sequence[Tensor], device: torch.device, non_blocking: bool) -> Tensor:
    """Images (C, H, W) of one size as a batch (B, C, H, W) on a device.

    Args:
        images: A sequence of images, or a batch.
        device: Where they go.
        non_blocking: Whether the host goes on before they are there. It does only if they lie in pinned memory, which
            the loader's thread puts each image into; stacking them before the copy would undo that.
    """
    if isinstance(images, Tensor):
        return images.to(device, non_blocking=non_blocking)
    batch = torch.empty((len(images), *images[0].shape), dtype=images[0].dtype, device=device)  # (B, C, H, W)
    for place, image in zip(batch, images):
        place.copy_(image, non_blocking=non_blocking)
    return batch


def copy_samples(samples: Sequence[Any], device: torch.device, non_blocking: bool) -> list[Any]:
    """Data samples with their tensors on a device; those of one name and shape travel together.

    Args:
        samples: One data sample per image; they stay as they are.
        device: Where their tensors go.
        non_blocking: As for :func:`copy_images`.

    Returns:
        Copies of the samples, whose tensors are rows of shared ones.
    """
    copies = [sample.new() for sample in samples]
    groups: dict[tuple, list[tuple[BaseDataElement, str, Tensor]]] = {}
    for copy in copies:
        for field, element in [('', copy), *_inner(copy)]:
            for key, value in element.items():
                if isinstance(value, Tensor):
                    kind = (field, key, value.shape, value.dtype)
                    groups.setdefault(kind, []).append((element, key, value))
    for members in groups.values():
        sent = torch.stack([value for *_, value in members]).to(device, non_blocking=non_blocking)
        for (element, key, _), row in zip(members, sent):
            setattr(element, key, row)
    return copies


def have_one_size(images: Any) -> bool:
    """Whether images are a batch, or can be stacked to one."""
    return isinstance(images, Tensor) or (len(images) > 0 and len({(each.shape, each.dtype) for each in images}) == 1)


def _inner(sample: BaseDataElement) -> list[tuple[str, BaseDataElement]]:
    """The parts of a sample that hold tensors of their own, each replaced in it by a copy."""
    found = []
    for field, element in list(sample.items()):
        if isinstance(element, BaseDataElement):
            element = element.new()
            setattr(sample, field, element)
            found.append((field, element))
    return found
