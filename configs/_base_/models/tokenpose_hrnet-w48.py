# TokenPose on HRNet-W48 cut after stage 3.
_base_ = './tokenpose_hrnet-w32.py'

model = dict(
    backbone=dict(
        extra=dict(stage2=dict(num_channels=(48, 96)), stage3=dict(num_channels=(48, 96, 192))),
        init_cfg=dict(checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w48-8ef0771d.pth'),
    ),
    neck=dict(in_channels=48),
)
