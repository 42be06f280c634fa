"""Batches of classification: stacked images, class probabilities, and images mixed with each other in training.

Shapes: B batch, H and W the image size in pixels, N classes.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from mmpose.registry import MODELS, TRANSFORMS
from torch.nn import functional as F

from sdpose.errors import ConfigError

from .batch_copy import copy_images, copy_samples, have_one_size


@MODELS.register_module()
class ClassDataPreprocessor(BaseDataPreprocessor):
    """Stacks images on the device and writes each sample's target as probabilities.

    The pipeline has normalized the images already, because random erasing fills with normal noise behind it.

    Args:
        num_classes: Number of classes N.
        mixing: Configs of transforms of a whole batch, such as torchvision's ``MixUp`` and ``CutMix``; each training
            batch goes through one of them, all equally likely.
        non_blocking: Whether the host goes on while a batch is copied to the device.
    """

    def __init__(self, num_classes: int, mixing: Sequence[dict] = (), non_blocking: bool = True) -> None:
        super().__init__(non_blocking)
        self.num_classes = num_classes
        self.mixing = [TRANSFORMS.build(dict(config, num_classes=num_classes)) for config in mixing]

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Preprocess a batch.

        Args:
            data: ``inputs``, a list of images (3, H, W), and ``data_samples``, one per image with its ``gt_label``.
            training: Whether images are mixed.

        Returns:
            ``inputs`` (B, 3, H, W) and ``data_samples`` with ``gt_score`` (N,).

        Raises:
            ConfigError: If the images are not of one size.
        """
        images, samples = data['inputs'], data['data_samples']
        mixes = training and len(self.mixing) > 0
        if mixes:
            # A mix pairs neighbours, and repeated augmentation makes neighbours of one image's copies.
            order = torch.randperm(len(samples)).tolist()
            images, samples = [images[i] for i in order], [samples[i] for i in order]
        if not have_one_size(images):  # stacking fails without naming an image or a step
            sizes = sorted({tuple(image.shape[1:]) for image in images})
            raise ConfigError(
                f'the images of a batch have the sizes (h, w) {", ".join(map(str, sizes))}: the '
                'pipeline of the data set must crop them to one'
            )
        images = copy_images(images, self.device, self._non_blocking)  # (B, 3, H, W)
        samples = copy_samples(samples, self.device, self._non_blocking)
        labels = torch.stack([sample.gt_label for sample in samples])  # (B,)
        if mixes:
            images, scores = self.mixing[int(torch.randint(len(self.mixing), ()))](images, labels)
        else:
            scores = F.one_hot(labels, self.num_classes).to(images.dtype)
        for sample, score in zip(samples, scores):
            sample.gt_score = score
        return dict(inputs=images, data_samples=samples)
