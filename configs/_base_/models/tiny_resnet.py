# A SimpleBaseline for 64x48 pixels: three stages of a narrow ResNet-18 and two deconvolutions, because a fourth stage
# would have to halve three columns. Widths are the leaf's.
model = dict(
    type='DistillPoseEstimator',
    data_preprocessor=dict(
        type='HeatmapDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type='ResNet', depth=18, num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1), out_indices=(2,)),
    head=dict(
        type='HeatmapHead',
        deconv_kernel_sizes=(4, 4),
        out_channels='${num_keypoints}',
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder='${codec}',
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)
