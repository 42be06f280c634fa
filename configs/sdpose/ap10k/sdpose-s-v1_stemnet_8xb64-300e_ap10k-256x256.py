_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/schedules/adam_300e.py',
    '../../_base_/datasets/ap10k_256x256.py',
    '../../_base_/models/tokenpose_stemnet.py',
    '../../_base_/models/self_distiller.py',
]

model = dict(neck=dict(num_cycles=2, patch_size=(4, 4)), distiller=_base_.self_distiller)
default_hooks = dict(checkpoint=dict(save_best='ap10k/AP'))
