# TokenPose-S-V1 whose head gives two vectors per joint (SimCC) in place of a heatmap. No paper's model.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/schedules/adam_300e.py',
    '../../_base_/datasets/coco_256x192_simcc.py',
    '../../_base_/models/tokenpose_stemnet.py',
]

model = dict(
    neck=dict(patch_size=(3, 4)),
    head=dict(_delete_=True, type='TokenSimCCHead', in_channels=192, decoder='${codec}'),
    test_cfg=dict(_delete_=True, flip_test=True),
)
