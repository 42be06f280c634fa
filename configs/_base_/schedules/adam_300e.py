# The published schedule: 300 epochs of Adam, 1e-3, no weight decay, x0.1 at 200 and 260, 500 steps of warm-up.
train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=10)

optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))

param_scheduler = [
    dict(type='LinearLR', begin=0, end=500, start_factor=0.001, by_epoch=False),
    dict(type='MultiStepLR', begin=0, end=300, milestones=[200, 260], gamma=0.1, by_epoch=True),
]

# The learning rate belongs to 8 GPUs with 64 samples each (--auto-scale-lr).
auto_scale_lr = dict(base_batch_size=512)
