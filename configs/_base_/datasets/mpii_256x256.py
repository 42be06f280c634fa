# MPII at 256x256 as TokenPose and PPT train on it: codec, pipelines, loaders and PCKh on the validation split.
_base_ = ['coco_256x192.py']

dataset_type = 'MpiiDataset'
data_root = 'data/mpii/'
num_keypoints = 16

codec = dict(input_size=(256, 256))

# Sizes within 25 %, rotations of 30 degrees, no shift, no half bodies.
train_pipeline = [
    '${load_step}',
    # Joints count pixels from 1. Not in the other pipeline: the metric compares with the joints as they are.
    dict(type='ZeroBasedKeypoints'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='ClippedNormalBBoxTransform', shift_prob=0.0, scale_factor=0.25, rotate_factor=30.0, rotate_prob=0.6),
    dict(type='${affine_step}', input_size='${codec.input_size}', use_udp='${use_udp}'),
    dict(type='${target_step}', encoder='${codec}'),
    dict(type='${pack_step}'),
]

train_dataloader = dict(dataset=dict(ann_file='annotations/mpii_train.json', data_prefix=dict(img='images/')))
val_dataloader = dict(
    dataset=dict(
        _delete_=True,  # there is no file of detections
        type='${dataset_type}',
        data_root='${data_root}',
        data_mode='${data_mode}',
        ann_file='annotations/mpii_val.json',
        headbox_file='${data_root}annotations/mpii_gt_val.mat',
        data_prefix=dict(img='images/'),
        test_mode=True,
        pipeline='${val_pipeline}',
    )
)
test_dataloader = val_dataloader

# MMPose's PCKh@0.5 (PCK) and PCKh@0.1 (PCK@0.1); prefix 'mpii'.
val_evaluator = dict(type='MpiiMetric')
test_evaluator = val_evaluator

# For a leaf that predicts the test split, whose labels are not public.
test_split = dict(type='MpiiTestDataset', ann_file='annotations/mpii_test.json', headbox_file=None)
