# A model for a data set of one's own: copy it with the two files of the data set, _base_/datasets/custom_*.py.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/schedules/adam_300e.py',
    '../../_base_/datasets/custom_256x192.py',
    '../../_base_/models/tokenpose_stemnet.py',
    '../../_base_/models/self_distiller.py',
]

model = dict(neck=dict(patch_size=(3, 4), num_cycles=2), distiller=_base_.self_distiller)
