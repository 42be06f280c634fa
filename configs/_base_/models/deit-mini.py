# A DeiT that a few minutes on a CPU are enough for: two layers, and neither mixed images nor stochastic depth, which
# only slow a short training down.
_base_ = './deit-tiny.py'

model = dict(
    data_preprocessor=dict(mixing=[]),
    neck=dict(patch_size=(8, 8), dim=64, depth=2, num_heads=4, mlp_ratio=2, drop_path=0.0),
    head=dict(in_channels=64),
)
