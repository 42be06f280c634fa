# TokenPose on StemNet. What depends on the data set (joints, sizes, codec) is filled in by the leaf.
model = dict(
    type='DistillPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type='StemNet'),
    neck=dict(
        type='MultiCycledTransformer',
        in_channels=256,
        dim=192,
        depth=12,
        num_heads=8,
        mlp_ratio=3,
        position='sine-full',
        num_cycles=1,
        test_cycles=1,
    ),
    head=dict(
        type='TokenPoseHead',
        in_channels=192,
        supervise='all',
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)
