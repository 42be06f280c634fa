# Table 8. Cycle 1 prunes, cycle 2 runs on the tokens that are left, with their position embeddings.
_base_ = ['./sdpose-s-v1_stemnet_8xb64-300e_coco-256x192.py', '../../_base_/models/token_pruner.py']

model = dict(neck=dict(pruner=dict(cycles=(1,), **_base_.token_pruner)))
