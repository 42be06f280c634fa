"""Key points that count pixels from 1, counted from 0."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ZeroBasedKeypoints(BaseTransform):
    """Subtract 1 from the key points of a data set that counts pixels from 1, such as MPII.

    A step for training only. MMPose 1.3's ``MpiiDataset`` converts the centres but hands the joints on as they are, and
    its metric adds 1 to the predictions: a model trained without this step would be judged one pixel too far to the
    lower right. MMPose 0.x subtracted it, so its numbers are of models trained with it. Invisible joints move too,
    which nothing sees. ``img_scale``, if a sample has it, says how many pixels of ``img`` a pixel of the data set is.
    """

    def transform(self, results: dict) -> dict:
        """Shift ``keypoints`` (1, K, 2)."""
        results['keypoints'] = results['keypoints'] - np.float32(results.get('img_scale', 1))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
