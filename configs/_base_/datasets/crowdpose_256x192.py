# CrowdPose at 256x192: MMPose's split and box file, AP in all and by crowd index (easy, medium, hard).
_base_ = ['coco_256x192.py']

dataset_type = 'ArrayCrowdPoseDataset'
data_root = 'data/crowdpose/'
num_keypoints = 14

# COCO's recipe with the settings that MMPose 0.x has for this data set: half bodies from more than 6 joints on, another
# range of sizes and rotations. SDPose's paper names no recipe for CrowdPose.
train_pipeline = [
    '${load_step}',
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(
        type='ClippedNormalBBoxTransform',
        shift_factor=0.16,
        shift_prob=0.3,
        scale_factor=0.0,
        rotate_prob=0.0,
        input_size='${codec.input_size}',
    ),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(
        type='RandomHalfBody',
        min_total_keypoints=7,
        min_upper_keypoints=3,
        min_lower_keypoints=3,
        padding=1.5,
        prob=0.3,
        upper_prioritized_prob=0.6915,
    ),
    dict(type='ClippedNormalBBoxTransform', shift_prob=0.0, scale_factor=0.5, rotate_factor=40.0, rotate_prob=0.6),
    dict(type='${affine_step}', input_size='${codec.input_size}', use_udp='${use_udp}'),
    dict(type='${target_step}', encoder='${codec}'),
    dict(type='${pack_step}'),
]

train_dataloader = dict(
    dataset=dict(ann_file='annotations/mmpose_crowdpose_trainval.json', data_prefix=dict(img='images/'))
)
val_dataloader = dict(
    dataset=dict(
        ann_file='annotations/mmpose_crowdpose_test.json',
        bbox_file='${data_root}annotations/det_for_crowd_test_0.1_0.5.json',
        data_prefix=dict(img='images/'),
    )
)
test_dataloader = val_dataloader

# The annotations have no area; the evaluation reads crowdIndex from their file.
val_evaluator = dict(
    ann_file='${data_root}annotations/mmpose_crowdpose_test.json',
    use_area=False,
    iou_type='keypoints_crowd',
    prefix='crowdpose',
)
test_evaluator = val_evaluator
