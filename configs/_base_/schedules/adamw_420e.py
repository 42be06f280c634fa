# RTMPose's schedule (arXiv:2303.07399): 420 epochs of AdamW without decay, 1,000 steps of warm-up, flat for one half,
# then a cosine down to a twentieth. The rate is SDPose's for 512 samples; RTMPose's 4e-3 for 1,024 is a convolutional
# net's.
train_cfg = dict(by_epoch=True, max_epochs=420, val_interval=10)

optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.0))

param_scheduler = [
    dict(type='LinearLR', begin=0, end=1000, start_factor=1e-5, by_epoch=False),
    dict(
        type='CosineAnnealingLR', begin=210, end=420, T_max=210, eta_min=5e-5, by_epoch=True, convert_to_iter_based=True
    ),
]

# The learning rate belongs to 8 GPUs with 64 samples each (--auto-scale-lr).
auto_scale_lr = dict(base_batch_size=512)
