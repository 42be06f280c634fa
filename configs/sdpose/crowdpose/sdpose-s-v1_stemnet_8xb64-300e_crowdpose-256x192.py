_base_ = [
    '../../tokenpose/crowdpose/tokenpose-s-v1_stemnet_8xb64-300e_crowdpose-256x192.py',
    '../../_base_/models/self_distiller.py',
]

model = dict(neck=dict(num_cycles=2), distiller=_base_.self_distiller)
