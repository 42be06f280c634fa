# As published (stage 1 is 32 wide). Batch 32 per GPU as released; the paper says 64.
_base_ = [
    '../../tokenpose/coco/tokenpose-b_hrnet-w32_8xb64-300e_coco-256x192.py',
    '../../_base_/models/self_distiller.py',
]

model = dict(neck=dict(num_cycles=2), distiller=_base_.self_distiller)
train_dataloader = dict(batch_size=32)
auto_scale_lr = dict(base_batch_size=8 * 32)
