_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_res152_8xb32-210e_coco-256x192.py',
    '../../_base_/project_hooks.py',
]

num_keypoints = 17
default_hooks = _base_.project_hooks
log_processor = dict(type='LossLogProcessor')
# MMPose's model, whose accuracy and batches do not have the host wait for the device.
model = dict(
    type='DistillPoseEstimator',
    data_preprocessor=dict(type='HeatmapDataPreprocessor'),
    backbone=dict(init_cfg=dict(type='PretrainedBackbone')),
)
