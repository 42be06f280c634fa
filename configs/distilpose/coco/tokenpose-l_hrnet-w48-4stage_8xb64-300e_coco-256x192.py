# The teacher of DistilPose: all four stages of HRNet-W48, twelve layers.
_base_ = '../../tokenpose/coco/tokenpose-l-d6_hrnet-w48_8xb64-300e_coco-256x192.py'

model = dict(
    backbone=dict(
        type='HRNet',
        extra=dict(
            stage4=dict(
                num_modules=3, num_branches=4, block='BASIC', num_blocks=(4, 4, 4, 4), num_channels=(48, 96, 192, 384)
            )
        ),
    ),
    neck=dict(depth=12),
)
