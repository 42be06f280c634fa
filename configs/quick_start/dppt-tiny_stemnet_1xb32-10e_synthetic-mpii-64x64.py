# Train the teacher first: its checkpoint lies where tools/train.py puts it. 64 patches, then 45 and 32.
_base_ = [
    './tokenpose-tiny_stemnet_1xb32-10e_synthetic-mpii-64x64.py',
    '../_base_/models/dppt_distiller.py',
    '../_base_/models/token_pruner.py',
]

teacher = 'tokenpose-tiny_stemnet_1xb32-10e_synthetic-mpii-64x64'
terms = _base_.dppt_distiller.terms
model = dict(
    neck=dict(pruner=dict(_base_.token_pruner, layers=(0, 1))),
    distiller=dict(
        _base_.dppt_distiller,
        teacher=f'configs/quick_start/{teacher}.py',
        checkpoint=f'work_dirs/{teacher}/epoch_10.pth',
        terms=dict(terms, loss_token=dict(terms.loss_token, layers=(0, 1, 2))),
    ),
)
# Not the teacher's seed: the two models have the same parameters, and would start as one.
randomness = dict(seed=1)
