# The backbone starts from the teacher's: set model.backbone.init_cfg.checkpoint to the same file as the distiller's.
_base_ = './distilpose-s_stemnet_8xb32-300e_coco-256x192.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TruncatedHRNet',
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(4,), num_channels=(64,)),
            stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(4, 4), num_channels=(48, 96)),
            stage3=dict(num_modules=4, num_branches=3, block='BASIC', num_blocks=(4, 4, 4), num_channels=(48, 96, 192)),
        ),
        init_cfg=dict(type='PretrainedBackbone', checkpoint=None, prefix='backbone'),
    ),
    neck=dict(in_channels=48),
)
