_base_ = [
    '../../tokenpose/coco/tokenpose-reg_stemnet_8xb64-300e_coco-256x192.py',
    '../../_base_/models/teacher_distiller.py',
]

model = dict(head=dict(mode='all'), distiller=_base_.teacher_distiller)
train_dataloader = dict(batch_size=32)
auto_scale_lr = dict(base_batch_size=8 * 32)
