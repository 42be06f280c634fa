_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_res50_8xb64-210e_coco-256x192.py',
    '../../_base_/project_hooks.py',
]

num_keypoints = 17
# MMPose's pipeline, that crops cut out beforehand may go into: configs/_base_/datasets/README.md, "Crop cache".
load_step = dict(type='LoadImage')
train_dataloader = dict(dataset=dict(pipeline=['${load_step}', *_base_.train_pipeline[1:]]))
default_hooks = _base_.project_hooks
log_processor = dict(type='LossLogProcessor')
# MMPose's model, whose accuracy and batches do not have the host wait for the device.
model = dict(
    type='DistillPoseEstimator',
    data_preprocessor=dict(type='HeatmapDataPreprocessor'),
    backbone=dict(init_cfg=dict(type='PretrainedBackbone')),
)
