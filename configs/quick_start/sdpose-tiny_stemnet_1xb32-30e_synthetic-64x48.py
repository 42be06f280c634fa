# A very small SDPose for a first run on two CPU cores: five minutes of training at most, no download.
# Run it with OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE (tools/quickstart.sh does): one thread computes, the
# loader's process has the other core, and threads that wait for each other do not take it away.
_base_ = [
    '../_base_/default_runtime.py', '../_base_/datasets/synthetic_64x48.py',
    '../_base_/models/tokenpose_stemnet.py', '../_base_/models/self_distiller.py'
]

max_epochs = 30
model = dict(
    # A narrow stem. He initialization: the published N(0, 0.001) learns too, but too late for a short run.
    backbone=dict(
        stem_channels=16,
        num_blocks=1,
        init_cfg=[dict(type='Kaiming', layer='Conv2d'),
                  dict(type='Constant', layer='BatchNorm2d', val=1)]),
    # One layer, run twice in training: depth costs time at this budget, a second cycle no parameters.
    neck=dict(in_channels=64,
              feature_size=(12, 16),
              patch_size=(2, 2),
              num_queries=_base_.num_keypoints,
              dim=64,
              depth=1,
              num_heads=4,
              num_cycles=2),
    head=dict(in_channels=64, decoder=_base_.codec),
    distiller=_base_.self_distiller)

train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=15)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=60, start_factor=0.001, by_epoch=False),
    dict(type='CosineAnnealingLR',
         begin=0,
         end=max_epochs,
         T_max=max_epochs,
         by_epoch=True,
         convert_to_iter_based=True)
]
default_hooks = dict(checkpoint=dict(interval=15, max_keep_ckpts=1))
randomness = dict(seed=0)
