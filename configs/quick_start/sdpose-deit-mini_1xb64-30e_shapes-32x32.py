# A very small DeiT with two cycles and self-distillation for a first run on two CPU cores, without any download:
#     python tools/dataset_tools/make_shapes.py
#     OMP_NUM_THREADS=1 python tools/train.py THIS_FILE
_base_ = [
    '../_base_/classification_runtime.py', '../_base_/datasets/shapes_32x32.py', '../_base_/models/deit-tiny.py',
    '../_base_/models/self_distiller.py'
]

max_epochs = 30
model = dict(
    # Mixed images help against overfitting in 300 epochs; in 30 they only slow learning down.
    data_preprocessor=dict(num_classes=_base_.num_classes, mixing=[]),
    neck=dict(feature_size=_base_.input_size,
              patch_size=(4, 4),
              dim=64,
              depth=2,
              num_heads=4,
              mlp_ratio=2,
              drop_path=0.,
              num_cycles=2),
    head=dict(in_channels=64, num_classes=_base_.num_classes),
    distiller=_base_.self_distiller)

train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=10)
# One thousand steps are too few for every image to come back three times.
train_dataloader = dict(sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True))
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05),
                     paramwise_cfg=dict(flat_decay_mult=0.))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=3, start_factor=1e-3, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=3, end=max_epochs, T_max=max_epochs - 3, by_epoch=True,
         convert_to_iter_based=True)
]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=1), logger=dict(interval=25))
randomness = dict(seed=0)
