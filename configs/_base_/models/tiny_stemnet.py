# A TokenPose that five minutes on a CPU are enough for, on 64x48 pixels.
_base_ = './tokenpose_stemnet.py'

model = dict(
    # A narrow stem. He initialization: the published N(0, 0.001) learns too, but too late for a short run.
    backbone=dict(
        stem_channels=16,
        num_blocks=1,
        init_cfg=[dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', layer='BatchNorm2d', val=1)],
    ),
    # One layer: depth costs time at this budget. A second cycle, where a leaf adds one, costs no parameter.
    neck=dict(in_channels=64, patch_size=(2, 2), dim=64, depth=1, num_heads=4),
    head=dict(in_channels=64),
)
