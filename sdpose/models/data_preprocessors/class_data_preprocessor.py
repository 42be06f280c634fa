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


@MODELS.register_module()
class ClassDataPreprocessor(BaseDataPreprocessor):
    """Stacks images on the device and writes each sample's target as probabilities.

    The pipeline has normalized the images already, because random erasing fills with normal noise behind it.

    Args:
        num_classes: Number of classes N.
        mixing: Configs of transforms of a whole batch, such as torchvision's ``MixUp`` and ``CutMix``; each training
            batch goes through one of them, all equally likely.
        non_blocking: As for MMEngine's preprocessor.
    """

    def __init__(self, num_classes: int, mixing: Sequence[dict] = (), non_blocking: bool = False) -> None:
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
        data = self.cast_data(data)
        inputs, samples = data['inputs'], data['data_samples']
        mixes = training and len(self.mixing) > 0
        if mixes:
            # A mix pairs neighbours, and repeated augmentation makes neighbours of one image's copies.
            order = torch.randperm(len(samples)).tolist()
            inputs, samples = [inputs[i] for i in order], [samples[i] for i in order]
        sizes = {tuple(image.shape[1:]) for image in inputs}
        if len(sizes) > 1:  # stacking fails without naming an image or a step
            raise ConfigError(
                f'the images of a batch have the sizes (h, w) {", ".join(map(str, sorted(sizes)))}: the '
                'pipeline of the data set must crop them to one'
            )
        images = torch.stack(inputs)  # (B, 3, H, W)
        labels = torch.stack([sample.gt_label for sample in samples])  # (B,)
        if mixes:
            images, scores = self.mixing[int(torch.randint(len(self.mixing), ()))](images, labels)
        else:
            scores = F.one_hot(labels, self.num_classes).to(images.dtype)
        for sample, score in zip(samples, scores):
            sample.gt_score = score
        return dict(inputs=images, data_samples=samples)
