_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/mpii/td-hm_res152_8xb32-210e_mpii-256x256.py',
    '../../_base_/project_hooks.py',
]

num_keypoints = 16
default_hooks = _base_.project_hooks
log_processor = dict(type='LossLogProcessor')
model = dict(backbone=dict(init_cfg=dict(type='PretrainedBackbone')))
