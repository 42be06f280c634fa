"""The heatmap codec whose decoder is the runtime's, for a whole batch at once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.config import ConfigDict
from mmpose.codecs import MSRAHeatmap
from mmpose.registry import KEYPOINT_CODECS
from mmpose.utils.tensor_utils import to_numpy

from .runtime import HEATMAP_CODECS, decode_heatmaps


@KEYPOINT_CODECS.register_module()
class BatchMSRAHeatmap(MSRAHeatmap):
    """MMPose's ``MSRAHeatmap`` with a decoder without loops over joints: the same scores, joints to 1e-4 pixels.

    Encoding is MMPose's. A head decodes a batch in one call. Unlike MMPose's, the decoder goes on where a matrix of
    DARK's refinement is singular to rounding alone. Exported files have the codec under MMPose's name; ``MSRAHeatmap``
    in its place, in a config or by ``--cfg-options codec.type=MSRAHeatmap``, is MMPose's decoder.

    Args:
        *args: As for ``MSRAHeatmap``.
        **kwargs: As for ``MSRAHeatmap``.
    """

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The joints of one image.

        Args:
            encoded: Heatmaps (K, H, W).

        Returns:
            Joints (1, K, 2) in pixels of the input and scores (1, K).
        """
        return decode_heatmaps(encoded[None], self.input_size, self.unbiased, self.blur_kernel_size)

    def batch_decode(self, batch_encoded: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The joints of a batch.

        Args:
            batch_encoded: Heatmaps (B, K, H, W), a tensor or an array.

        Returns:
            For each image joints (1, K, 2) in pixels of the input, and scores (1, K).
        """
        joints, scores = decode_heatmaps(to_numpy(batch_encoded), self.input_size, self.unbiased, self.blur_kernel_size)
        return list(joints[:, None]), list(scores[:, None])


def under_mmposes_name(codec: Mapping[str, Any]) -> dict[str, Any]:
    """A codec's config as exported files have it: under MMPose's name where it decodes the same numbers otherwise."""
    plain = codec.to_dict() if isinstance(codec, ConfigDict) else dict(codec)
    return {**plain, 'type': HEATMAP_CODECS[0]} if plain.get('type') in HEATMAP_CODECS else plain
