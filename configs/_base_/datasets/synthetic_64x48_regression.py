# As synthetic_64x48.py, with coordinates over the image size as target instead of heatmaps.
_base_ = ['synthetic_64x48.py']

regression_codec = dict(type='RegressionLabel', input_size=(48, 64))
codec = dict(_delete_=True, **regression_codec)

train_pipeline = [
    *[step for step in _base_.train_pipeline if step['type'] not in ('GenerateTarget', 'PackPoseInputs')],
    dict(type='GenerateTarget', encoder=regression_codec),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
