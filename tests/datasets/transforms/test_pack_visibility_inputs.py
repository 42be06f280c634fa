"""Annotated flags as labels of visibility: by hand, mirrored, in a batch, and what has none."""

from typing import Any

import numpy as np
import pytest
import torch
from mmpose.datasets.transforms import RandomFlip

from sdpose.datasets.transforms import PackTrainingInputs, PackVisibilityInputs
from sdpose.errors import DataError
from sdpose.io.joint_flags import visibility_of

FLAGS = [2, 1, 0, 2]


def results(flags: list[int] = FLAGS, seen: list[int] | None = None, **more: Any) -> dict[str, Any]:
    joints = [value for number, flag in enumerate(flags) for value in (5.0 * number, 3.0, flag)]
    return dict(
        img=np.zeros((8, 24, 3), np.uint8),
        img_shape=(8, 24),
        id=7,
        img_path='a.jpg',
        keypoints=np.float32(joints).reshape(1, -1, 3)[..., :2].copy(),
        keypoints_visible=np.float32([[min(flag, 1) for flag in seen or flags]]),
        keypoint_weights=np.float32([[1, 1, 0, 0]]),
        flip_indices=[1, 0, 2, 3],
        bbox_center=np.float32([[12, 4]]),
        raw_ann_info=dict(keypoints=joints),
        label_mapping_table=dict(keypoint_weights='keypoint_weights'),
        **more,
    )


def packed(given: dict[str, Any]) -> Any:
    return PackVisibilityInputs().transform(given)['data_samples']


def test_flags_by_hand() -> None:
    entry = dict(keypoints=[1, 1, 2, 2, 2, 1, 0, 0, 0])
    found = visibility_of(entry)
    assert found is not None and found.tolist() == [[1, 0, -1]] and found.dtype == np.float32
    assert visibility_of(None) is visibility_of({}) is visibility_of(dict(keypoints=[])) is None
    assert visibility_of(dict(keypoints=[1, 2])) is None


def test_labels_travel_with_the_sample() -> None:
    labels = packed(results()).gt_instance_labels
    assert labels.keypoint_visibility.tolist() == [[1, 0, -1, 1]]
    assert labels.keypoint_weights.tolist() == [[1, 1, 0, 0]]
    # The rest is what it was.
    plain = PackTrainingInputs().transform(results())
    ours = PackVisibilityInputs().transform(results())
    assert torch.equal(ours['inputs'], plain['inputs'])
    assert ours['data_samples'].metainfo == plain['data_samples'].metainfo
    without = results()
    del without['label_mapping_table']
    assert 'keypoint_visibility' in packed(without).gt_instance_labels


def test_a_mirror_image_exchanges_left_and_right() -> None:
    turned = RandomFlip(prob=1.0).transform(results())
    assert turned['flip'] and turned['keypoints_visible'].tolist() == [[1, 1, 0, 1]]
    assert packed(turned).gt_instance_labels.keypoint_visibility.tolist() == [[0, 1, -1, 1]]


@pytest.mark.parametrize(
    'given, said',
    [
        (dict(raw_ann_info=None), 'the annotation 7 of a.jpg has no flags'),
        (dict(raw_ann_info=dict(keypoints=[1, 1, 2])), 'has flags of other joints than the sample'),
        (dict(keypoints_visible=np.float32([[1, 0, 1, 1]])), 'has flags of other joints than the sample'),
    ],
)
def test_what_has_none(given: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        packed({**results(), **given})
