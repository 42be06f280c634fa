# As coco_256x192.py, with the random box transform of MMPose 1.3 at the settings nearest to the recipe.
_base_ = ['coco_256x192.py']

train_pipeline = [
    dict(type='LoadCheckedImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomHalfBody'),
    dict(type='RandomBBoxTransform', shift_factor=0.16, scale_factor=(0.65, 1.35), rotate_factor=90.0),
    dict(type='TopdownAffine', input_size='${codec.input_size}'),
    dict(type='GenerateTarget', encoder='${codec}'),
    dict(type='PackPoseInputs'),
]
