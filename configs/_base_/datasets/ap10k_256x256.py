# AP-10K at 256x256: 17 joints of 54 kinds of mammals, the first split, annotated boxes.
_base_ = ['coco_256x192.py']

dataset_type = 'ArrayAP10KDataset'
data_root = 'data/ap10k/'
num_keypoints = 17

codec = dict(input_size=(256, 256))

# The settings that MMPose 0.x has for this data set: half bodies from more than 8 joints on, sizes within 50 %,
# rotations of 40 degrees, no shift. SDPose's paper has no animals.
train_pipeline = [
    '${load_step}',
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(
        type='RandomHalfBody',
        min_total_keypoints=9,
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

train_dataloader = dict(dataset=dict(ann_file='annotations/ap10k-train-split1.json', data_prefix=dict(img='data/')))
val_dataloader = dict(
    dataset=dict(
        ann_file='annotations/ap10k-val-split1.json',
        bbox_file=None,  # there is no file of detections
        data_prefix=dict(img='data/'),
    )
)
test_dataloader = dict(
    dataset=dict(ann_file='annotations/ap10k-test-split1.json', bbox_file=None, data_prefix=dict(img='data/'))
)

val_evaluator = dict(ann_file='${data_root}annotations/ap10k-val-split1.json', prefix='ap10k')
test_evaluator = dict(ann_file='${data_root}annotations/ap10k-test-split1.json', prefix='ap10k')
