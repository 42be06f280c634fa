# A very small SimpleBaseline for a first run on two CPU cores: the teacher of the IKD beside it.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_10e.py',
    '../_base_/datasets/synthetic_64x48.py',
    '../_base_/models/tiny_resnet.py',
]

model = dict(backbone=dict(stem_channels=24, base_channels=24), head=dict(in_channels=96, deconv_out_channels=(48, 48)))
default_hooks = dict(checkpoint=dict(interval=5, max_keep_ckpts=1))
