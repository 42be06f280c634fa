# RTMPose's augmentation (arXiv:2303.07399, MMPose 1.3's configs): sizes 0.6 to 1.4, rotations up to 80 degrees, changed
# colours, blurs and a hole, and all of it weaker in the last epochs. A config that has this file among its bases takes
# it over by
#     train_pipeline = _base_.rtmpose_pipeline
#     custom_hooks = [_base_.rtmpose_last_epochs]
rtmpose_pipeline = [
    '${load_step}',
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomHalfBody'),
    # MMPose's RandomBBoxTransform with cheaper draws of the same distribution.
    dict(type='RejectionBBoxTransform', shift_factor=0.16, scale_factor=(0.6, 1.4), rotate_factor=80.0),
    dict(type='${affine_step}', input_size='${codec.input_size}', use_udp='${use_udp}'),
    dict(type='YOLOXHSVRandomAug'),
    dict(type='RandomBlur', mean_prob=0.1, median_prob=0.1),
    dict(type='CoarseDropout', prob=1.0, low=0.2, high=0.4),
    dict(type='${target_step}', encoder='${codec}'),
    dict(type='${pack_step}'),
]
rtmpose_last_epochs = dict(
    type='LastEpochsHook',
    epochs=30,
    steps=[
        dict(type='RejectionBBoxTransform', shift_factor=0.0, scale_factor=(0.75, 1.25), rotate_factor=60.0),
        dict(type='CoarseDropout', prob=0.5, low=0.2, high=0.4),
    ],
)
