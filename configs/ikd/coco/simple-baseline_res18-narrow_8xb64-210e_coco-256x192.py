# IKD's student without a teacher: ResNet-18 and deconvolutions of 64 channels, 35 % of SimpleBaseline-ResNet-50.
_base_ = '../../simple_baseline/coco/simple-baseline_res50_8xb64-210e_coco-256x192.py'

model = dict(
    backbone=dict(depth=18, init_cfg=dict(checkpoint='torchvision://resnet18')),
    head=dict(in_channels=512, deconv_out_channels=(64, 64, 64)),
)
