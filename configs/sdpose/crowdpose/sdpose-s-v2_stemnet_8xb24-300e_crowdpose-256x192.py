# Batch 24 per GPU as for COCO.
_base_ = './sdpose-s-v1_stemnet_8xb64-300e_crowdpose-256x192.py'

model = dict(neck=dict(patch_size=(2, 2)))
train_dataloader = dict(batch_size=24)
auto_scale_lr = dict(base_batch_size=8 * 24)
