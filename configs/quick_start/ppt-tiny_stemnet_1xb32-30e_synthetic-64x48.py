# Three layers, because what the last one prunes nothing reads: 48 visual tokens, then 34 and 24.
_base_ = ['./tokenpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py', '../_base_/models/token_pruner.py']

pruner = dict(_base_.token_pruner, layers=(0, 1))
model = dict(neck=dict(depth=3, pruner=pruner))
