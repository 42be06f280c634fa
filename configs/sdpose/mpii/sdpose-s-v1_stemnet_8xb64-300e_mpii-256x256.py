_base_ = [
    '../../tokenpose/mpii/tokenpose-s-v1_stemnet_8xb64-300e_mpii-256x256.py',
    '../../_base_/models/self_distiller.py',
]

model = dict(neck=dict(num_cycles=2), distiller=_base_.self_distiller)
