# The quick start's SDPose with SimCC's vectors in place of heatmaps.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_30e.py',
    '../_base_/datasets/synthetic_64x48_simcc.py',
    '../_base_/models/tiny_stemnet.py',
    '../_base_/models/self_distiller.py',
]

model = dict(
    neck=dict(num_cycles=2),
    head=dict(_delete_=True, type='TokenSimCCHead', in_channels=64, decoder='${codec}'),
    test_cfg=dict(_delete_=True, flip_test=True),
    distiller=_base_.self_distiller,
)
default_hooks = dict(checkpoint=dict(interval=15, max_keep_ckpts=1))
