_base_ = [
    '../../tokenpose/mpii/tokenpose-s-v1_stemnet_8xb64-300e_mpii-256x256.py',
    '../../_base_/models/token_pruner.py',
]

model = dict(neck=dict(pruner=_base_.token_pruner))
