# Plain regression baseline: two outputs and score 1, because an untrained score would drag the ranking down.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/schedules/adam_300e.py',
    '../../_base_/datasets/coco_256x192_regression.py',
    '../../_base_/models/tokenpose_stemnet.py',
]

model = dict(
    neck=dict(patch_size=(3, 4)),
    head=dict(
        _delete_=True,
        type='TokenRegHead',
        in_channels=192,
        mode='xy',
        hidden=64,
        loss=dict(type='SmoothL1Loss', use_target_weight=True),
        decoder='${codec}',
    ),
    test_cfg=dict(_delete_=True, flip_test=True),
)
