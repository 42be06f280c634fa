# As ppt-tiny, but the last of the tokens that stay holds what is dropped (EViT): a pruner of another kind.
_base_ = ['./ppt-tiny_stemnet_1xb32-30e_synthetic-64x48.py']

model = dict(neck=dict(pruner=dict(type='FusingPruner')))
