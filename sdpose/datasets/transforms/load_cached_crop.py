"""Loading of people from a crop cache in place of full pictures."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from sdpose.datasets.crop_cache.store import CropCache, CropRow
from sdpose.errors import DataError

_POINTS = ('bbox_center', 'keypoints')  # (1, ..., 2)


@TRANSFORMS.register_module()
class LoadCachedCrop(BaseTransform):
    """The first step of a training pipeline: a person's crop as ``img``, and box and joints in pixels of it.

    The cache is made by ``tools/dataset_tools/build_crop_cache.py`` for the steps that follow: flip, half body, random
    box and affine give the model's input of the full picture. ``ori_shape`` is the picture's, ``img_shape`` the crop's,
    in which a flip mirrors, ``img_scale`` the crop's pixels per pixel of the picture. For training only: predictions
    would lie in the crop.

    Args:
        cache: Folder of the cache.

    Raises:
        DataError: The cache is missing, not finished or damaged, has no such person, or the person's box lies outside
            the crop.
    """

    def __init__(self, cache: str) -> None:
        super().__init__()
        self.cache = cache
        self._opened: CropCache | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Copies, and workers that get one, open the cache themselves."""
        return {**self.__dict__, '_opened': None}

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load the crop of one sample."""
        if self._opened is None:
            self._opened = CropCache(self.cache)
        cache = self._opened
        at = cache.find(results)
        if at is None:
            raise DataError(
                f'the crop cache {self.cache} has no annotation id {results["id"]} on {results["img_path"]}, so it is '
                f'of another data set or of older annotations: make one by {cache.command_for("CONFIG")}'
            )
        row = cache.row(at)
        box = np.asarray(results['bbox'])
        if not _holds(row, box):
            raise DataError(
                f'the box {np.round(box.ravel(), 1).tolist()} of annotation id {results["id"]} on '
                f'{results["img_path"]} lies outside its crop in the cache {self.cache}, which is of older '
                f'annotations: {cache.cure}'
            )
        results['img'] = cache.crop(at)
        results['img_shape'] = results['img'].shape[:2]
        results['ori_shape'] = (row.picture_height, row.picture_width)
        results['bbox'] = row.moved(box.reshape(-1, 2)).reshape(box.shape)
        for name in _POINTS:
            if name in results:
                results[name] = row.moved(results[name])
        results['img_scale'] = row.scale
        if 'bbox_scale' in results:
            results['bbox_scale'] = results['bbox_scale'] * np.float32(row.scale)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(cache={self.cache!r})'


def _holds(row: CropRow, box: np.ndarray) -> bool:
    """Whether what a picture shows of a box (1, 4) lies in its crop."""
    left, top, right, bottom = box.ravel().tolist()
    inside_x = max(left, 0) >= row.left and min(right, row.picture_width) <= row.left + row.width
    return inside_x and max(top, 0) >= row.top and min(bottom, row.picture_height) <= row.top + row.height
