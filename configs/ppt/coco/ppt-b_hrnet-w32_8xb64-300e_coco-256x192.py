_base_ = [
    '../../tokenpose/coco/tokenpose-b_hrnet-w32_8xb64-300e_coco-256x192.py',
    '../../_base_/models/token_pruner.py',
]

model = dict(neck=dict(pruner=_base_.token_pruner))
