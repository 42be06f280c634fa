# As published: stage 1 is 32 wide, so the ImageNet weights of stage 1 and what follows it do not fit and stay random.
_base_ = './tokenpose-b_hrnet-w32-stage1-64_8xb64-300e_coco-256x192.py'

model = dict(
    backbone=dict(
        extra=dict(stage1=dict(num_channels=(32,))), init_cfg=dict(allow_mismatch=('layer1.', 'transition1.'))
    )
)
