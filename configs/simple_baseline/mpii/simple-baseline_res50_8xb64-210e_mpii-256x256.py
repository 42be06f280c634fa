_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/mpii/td-hm_res50_8xb64-210e_mpii-256x256.py',
    '../../_base_/project_hooks.py',
]

num_keypoints = 16
load_step = dict(type='LoadImage')  # or people cut out beforehand: configs/_base_/datasets/README.md, "Crop cache"
# MPII's joints count pixels from 1; MMPose's pipeline leaves them so, the one of every method here does not.
train_dataloader = dict(
    dataset=dict(pipeline=['${load_step}', dict(type='ZeroBasedKeypoints'), *_base_.train_pipeline[1:]])
)
log_processor = dict(type='LossLogProcessor')
model = dict(
    type='DistillPoseEstimator',  # MMPose's, but that the host does not wait for the device
    data_preprocessor=dict(type='HeatmapDataPreprocessor'),
    backbone=dict(init_cfg=dict(type='PretrainedBackbone')),
)
default_hooks = dict(_base_.project_hooks, checkpoint=dict(save_best='mpii/PCK'))
val_evaluator = dict(type='MpiiMetric')
test_evaluator = val_evaluator
