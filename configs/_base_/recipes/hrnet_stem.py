# StemNet is the beginning of HRNet-W32, name by name, so it can start from that one's ImageNet weights. A config that
# has this file among its bases takes it over by
#     model = dict(backbone=dict(init_cfg=_base_.hrnet_stem))
hrnet_stem = dict(
    type='PretrainedBackbone', checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w32-36af842e.pth'
)
