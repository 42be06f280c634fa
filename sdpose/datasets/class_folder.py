"""Images in one folder per class, as ImageNet is usually unpacked."""

import os
from collections.abc import Sequence
from typing import Any

from mmengine.dataset import Compose
from mmpose.registry import DATASETS
from torchvision.datasets import ImageFolder

from sdpose.errors import DataError


@DATASETS.register_module()
class ClassFolderDataset(ImageFolder):
    """torchvision's ``ImageFolder`` with a pipeline: ``FOLDER/CLASS/IMAGE``; classes are numbered in sorted order.

    Args:
        data_root: The data set's folder.
        data_prefix: ``img``: the split's folder below ``data_root``.
        pipeline: Configs of transforms. They get ``img_path``, ``gt_label`` and ``sample_idx``.
    """

    def __init__(self, data_root: str, pipeline: Sequence[dict], data_prefix: dict | None = None) -> None:
        super().__init__(os.path.join(data_root, (data_prefix or {}).get('img', '')))
        self.pipeline = Compose(pipeline)

    @property
    def metainfo(self) -> dict[str, Any]:
        """The names of the classes; MMEngine stores them in checkpoints."""
        return dict(classes=tuple(self.classes))

    def describe(self) -> str:
        """One line for the log and the record of an evaluation."""
        return f'images: {len(self)} in {len(self.classes)} classes from {self.root}'

    def __getitem__(self, index: int) -> Any:
        """One sample through the pipeline.

        Args:
            index: Number of the image. An index beyond the last image is a further copy of one (see
                :class:`RepeatedAugmentationSampler`): the same file under another ``sample_idx``, so that it is
                augmented otherwise.

        Raises:
            DataError: If a transform refuses the image.
        """
        path, label = self.samples[index % len(self.samples)]
        try:
            return self.pipeline(dict(sample_idx=index, img_path=path, gt_label=label))
        except ValueError as error:  # of torchvision: an image that is smaller than its crop
            raise DataError(f'image {path} does not fit the pipeline: {error}') from error
