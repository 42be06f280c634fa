# TokenPose on StemNet. Joints and sizes follow the data set's num_keypoints and codec.
model = dict(
    type='DistillPoseEstimator',
    data_preprocessor=dict(
        type='HeatmapDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type='StemNet'),
    neck=dict(
        type='MultiCycledTransformer',
        num_queries='${num_keypoints}',
        feature_size='${codec.input_size // 4}',
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
        decoder='${codec}',
        supervise='all',
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)
