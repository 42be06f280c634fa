# The full-size SDPose-S-V1 on many drawn people, for one GPU: a short schedule, and He initialization as in the quick
# start, since the published N(0, 0.001) of the stem learns too late for it.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/synthetic_256x192.py',
    '../../_base_/models/tokenpose_stemnet.py',
    '../../_base_/models/self_distiller.py',
]

model = dict(
    backbone=dict(init_cfg=[dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', layer='BatchNorm2d', val=1)]),
    neck=dict(patch_size=(3, 4), num_cycles=2),
    distiller=_base_.self_distiller,
)
train_dataloader = dict(batch_size=256, num_workers=8)
train_cfg = dict(by_epoch=True, max_epochs=10, val_interval=5)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=200, start_factor=0.001, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=0, end=10, T_max=10, by_epoch=True, convert_to_iter_based=True),
]
