# A very small RLE: pooled features of a narrow ResNet-18, coordinates and sigmas, trained on a flow's likelihood.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_10e.py',
    '../_base_/datasets/synthetic_64x48_regression.py',
    '../_base_/models/tiny_resnet.py',
]

model = dict(
    backbone=dict(stem_channels=24, base_channels=24),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        _delete_=True,
        type='RLEHead',
        in_channels=96,
        num_joints='${num_keypoints}',
        loss=dict(type='RLELoss', use_target_weight=True),
        decoder='${codec}',
    ),
    test_cfg=dict(_delete_=True, flip_test=True),
)
default_hooks = dict(checkpoint=dict(interval=5, max_keep_ckpts=1))
