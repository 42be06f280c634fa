_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_30e.py',
    '../_base_/datasets/synthetic_64x48_regression.py',
    '../_base_/models/tiny_stemnet.py',
]

model = dict(
    head=dict(
        _delete_=True,
        type='TokenRegHead',
        in_channels=64,
        mode='xy',
        loss=dict(type='SmoothL1Loss', use_target_weight=True),
        decoder='${codec}',
    ),
    test_cfg=dict(_delete_=True, flip_test=True),
)
default_hooks = dict(checkpoint=dict(interval=15, max_keep_ckpts=1))
