# The quick start's schedule: 30 epochs of Adam, 2e-3 along a cosine, 60 steps of warm-up, a fixed seed.
max_epochs = 30
train_cfg = dict(by_epoch=True, max_epochs='${max_epochs}', val_interval=15)

optim_wrapper = dict(optimizer=dict(type='Adam', lr=2e-3))

param_scheduler = [
    dict(type='LinearLR', begin=0, end=60, start_factor=0.001, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        begin=0,
        end='${max_epochs}',
        T_max='${max_epochs}',
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
randomness = dict(seed=0)
