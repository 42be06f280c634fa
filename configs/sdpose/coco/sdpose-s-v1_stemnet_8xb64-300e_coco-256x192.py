_base_ = [
    '../../tokenpose/coco/tokenpose-s-v1_stemnet_8xb64-300e_coco-256x192.py',
    '../../_base_/models/self_distiller.py',
]

model = dict(neck=dict(num_cycles=2), distiller=_base_.self_distiller)
