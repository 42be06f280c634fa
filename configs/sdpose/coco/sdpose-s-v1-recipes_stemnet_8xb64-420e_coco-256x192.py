# SDPose-S-V1 with every recipe of configs/_base_/recipes that its heatmaps allow. No paper's model.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/schedules/adamw_420e.py',
    '../../_base_/datasets/coco_256x192.py',
    '../../_base_/models/tokenpose_stemnet.py',
    '../../_base_/models/self_distiller.py',
    '../../_base_/recipes/udp.py',
    '../../_base_/recipes/rtmpose_augmentation.py',
    '../../_base_/recipes/averaged_weights.py',
    '../../_base_/recipes/hrnet_stem.py',
]

use_udp = True
codec = dict(_base_.udp_codec, _delete_=True)
train_pipeline = _base_.rtmpose_pipeline
custom_hooks = [_base_.rtmpose_last_epochs]
default_hooks = dict(ema=_base_.averaged_weights)
model = dict(
    backbone=dict(init_cfg=_base_.hrnet_stem),
    neck=dict(patch_size=(3, 4), num_cycles=2),
    distiller=_base_.self_distiller,
    test_cfg=_base_.udp_test_cfg,
)
