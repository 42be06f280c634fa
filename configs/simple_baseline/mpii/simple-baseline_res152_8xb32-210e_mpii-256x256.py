_base_ = './simple-baseline_res50_8xb64-210e_mpii-256x256.py'

model = dict(backbone=dict(depth=152, init_cfg=dict(checkpoint='torchvision://resnet152')))
train_dataloader = dict(batch_size=32)
auto_scale_lr = dict(base_batch_size=256)
