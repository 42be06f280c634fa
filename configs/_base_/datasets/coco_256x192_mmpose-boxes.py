# As coco_256x192.py, with the random box transform of MMPose 1.3 at the settings nearest to the recipe.
_base_ = ['coco_256x192.py']

box_step = 'RejectionBBoxTransform'  # MMPose's RandomBBoxTransform with cheaper draws of the same distribution

train_pipeline = [
    '${load_step}',
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomHalfBody'),
    dict(type='${box_step}', shift_factor=0.16, scale_factor=(0.65, 1.35), rotate_factor=90.0),
    dict(type='${affine_step}', input_size='${codec.input_size}', use_udp='${use_udp}'),
    dict(type='${target_step}', encoder='${codec}'),
    dict(type='${pack_step}'),
]
