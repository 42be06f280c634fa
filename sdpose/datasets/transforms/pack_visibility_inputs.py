"""The end of a training pipeline whose model learns which joints can be seen.

Shapes: K joints.
"""

from typing import Any

import numpy as np
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import TRANSFORMS

from sdpose.errors import DataError
from sdpose.io.joint_flags import UNLABELLED, visibility_of

from .pack_training_inputs import PackTrainingInputs


@TRANSFORMS.register_module()
class PackVisibilityInputs(PackTrainingInputs):
    """``PackTrainingInputs`` with the annotated flags as one more label, ``keypoint_visibility``, (1, K).

    MMPose keeps of COCO's flags only whether a joint is labelled. Here they are read from the raw annotation: 1 for
    2 (can be seen), 0 for 1 (hidden), -1 for 0 (not labelled), left and right exchanged where the sample is a mirror
    image.

    Args:
        **kwargs: As for ``PackTrainingInputs``.

    Raises:
        DataError: If a sample has no such flags, or they are not those of its joints.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """``inputs``, the uint8 image (3, H, W), and ``data_samples``."""
        flags = visibility_of(results.get('raw_ann_info'))
        labelled = np.asarray(results['keypoints_visible']).reshape(1, -1) > 0
        if flags is not None and results.get('flip', False) and flags.shape == labelled.shape:
            flags = flags[:, results['flip_indices']]
        if flags is None or not np.array_equal(flags != UNLABELLED, labelled):
            why = 'has no flags' if flags is None else 'has flags of other joints than the sample'
            raise DataError(
                f'PackVisibilityInputs: the annotation {results.get("id")} of {results.get("img_path")} {why}: it '
                "takes a data set in COCO's format whose joints are used as they are, and no step that changes them"
            )
        table = results.get('label_mapping_table', PackPoseInputs.label_mapping_table)
        labels = {**table, 'keypoint_visibility': 'keypoint_visibility'}
        return super().transform({**results, 'keypoint_visibility': flags, 'label_mapping_table': labels})
