# COCO 2017 key points at 256x192 with the published recipe: codec, pipelines, loaders and metric.
# A key written '${variable}' follows the variable, also where a config that inherits this one sets another value.
# Annotations are parsed once and shared as arrays; MMPose's own, which parses them in every process: 'CocoDataset'.
dataset_type = 'ArrayCocoDataset'
data_mode = 'topdown'
data_root = 'data/coco/'
num_keypoints = 17  # of the data set's metainfo; the model follows it

# For another size set input_size, (w, h), alone: pipelines, targets, head and tokens follow.
codec = dict(
    type='BatchMSRAHeatmap',  # MMPose's own, slower: 'MSRAHeatmap'
    input_size=(192, 256),
    heatmap_size='${codec.input_size // 4}',
    sigma=2,
    unbiased=True,
    blur_kernel_size=11,
)

# Steps that give MMPose's samples in less time; MMPose's own are TopdownAffine, GenerateTarget and PackPoseInputs,
# here or as an option (--cfg-options target_step=GenerateTarget). Heatmaps are drawn by the model's
# HeatmapDataPreprocessor.
# People cut out beforehand by tools/dataset_tools/build_crop_cache.py load three times as fast as full pictures:
# load_step = dict(type='LoadCachedCrop', cache=DIR).
load_step = dict(type='LoadCheckedImage')
affine_step = 'WindowedAffine'
use_udp = False  # crops by UDP's rule, which a UDPHeatmap needs: configs/_base_/recipes/udp.py
target_step = 'DeferredTarget'
pack_step = 'PackTrainingInputs'
# The same of an evaluation, each of which gives equal numbers: MMPose's own are TopdownAffine and PackPoseInputs.
val_load_step = dict(type='LoadCheckedImage', keep_last=True, writable=False)
val_affine_step = 'WindowedAffine'
val_pack_step = 'PackTestInputs'

# The recipe shifts a box before the half-body crop replaces it, and resizes and rotates it afterwards.
# MMPose 1.3's random box instead: take coco_256x192_mmpose-boxes.py as the base.
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
    # The recipe's rule: more than 8 joints visible, the chosen half has more than 2, upper with P(N(0, 1) < 0.5).
    dict(
        type='RandomHalfBody',
        min_total_keypoints=9,
        min_upper_keypoints=3,
        min_lower_keypoints=3,
        padding=1.5,
        prob=0.3,
        upper_prioritized_prob=0.6915,
    ),
    dict(type='ClippedNormalBBoxTransform', shift_prob=0.0, scale_factor=0.35, rotate_factor=45.0, rotate_prob=0.6),
    dict(type='${affine_step}', input_size='${codec.input_size}', use_udp='${use_udp}'),
    dict(type='${target_step}', encoder='${codec}'),
    dict(type='${pack_step}'),
]
# An image is decoded once for all its boxes: the loading step keeps the last one, the sampler of the loader below keeps
# its boxes together. MMPose's way: val_dataloader = dict(sampler=dict(type='DefaultSampler')). A step of your own that
# writes into the picture before it is cropped needs one of its own: val_load_step.writable=True.
val_pipeline = [
    '${val_load_step}',
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='${val_affine_step}', input_size='${codec.input_size}', use_udp='${use_udp}'),
    dict(type='${val_pack_step}'),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='${dataset_type}',
        data_root='${data_root}',
        data_mode='${data_mode}',
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline='${train_pipeline}',
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='GroupedByImageSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='${dataset_type}',
        data_root='${data_root}',
        data_mode='${data_mode}',
        ann_file='annotations/person_keypoints_val2017.json',
        # Ground-truth boxes instead: --gt-bbox on the command line, or bbox_file=None.
        bbox_file='${data_root}person_detection_results/COCO_val2017_detections_AP_H_56_person.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline='${val_pipeline}',
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='ArrayCocoMetric')  # MMPose's own: type='CocoMetric', or backend='xtcocotools'
test_evaluator = val_evaluator
