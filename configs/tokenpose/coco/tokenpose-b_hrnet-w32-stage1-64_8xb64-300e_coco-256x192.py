# With the standard HRNet-W32, which the ImageNet weights fill completely. Not the paper's model: see the README.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/schedules/adam_300e.py',
    '../../_base_/datasets/coco_256x192.py',
    '../../_base_/models/tokenpose_hrnet-w32.py',
]

model = dict(
    neck=dict(
        num_queries=_base_.num_keypoints,
        feature_size=_base_.codec.heatmap_size,  # both at a quarter of the input
        patch_size=(3, 4),
    ),
    head=dict(decoder=_base_.codec),
)
