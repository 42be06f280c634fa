_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/schedules/adam_300e.py',
    '../../_base_/datasets/crowdpose_256x192.py',
    '../../_base_/models/tokenpose_stemnet.py',
]

model = dict(neck=dict(patch_size=(3, 4)))
default_hooks = dict(checkpoint=dict(save_best='crowdpose/AP'))
