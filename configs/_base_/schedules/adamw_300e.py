# DeiT's schedule: 300 epochs of AdamW, 5e-4 per 512 images, 5 epochs of warm-up, then a cosine down to 1e-5.
train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=10)

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    # No decay of norms, biases, class token and position.
    paramwise_cfg=dict(
        flat_decay_mult=0.0,
        custom_keys={'tokenizer.query': dict(decay_mult=0.0), 'tokenizer.position': dict(decay_mult=0.0)},
    ),
)

param_scheduler = [
    dict(type='LinearLR', begin=0, end=5, start_factor=1e-3, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=5, end=300, T_max=295, eta_min=1e-5, by_epoch=True),
]

# The learning rate belongs to 8 GPUs with 128 images each (--auto-scale-lr).
auto_scale_lr = dict(base_batch_size=1024)
