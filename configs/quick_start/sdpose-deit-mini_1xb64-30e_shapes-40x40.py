# Two cycles and self-distillation on drawn shapes: tools/dataset_tools/make_shapes.py makes the data.
_base_ = [
    '../_base_/classification_runtime.py',
    '../_base_/schedules/adam_30e.py',
    '../_base_/datasets/shapes_40x40.py',
    '../_base_/models/deit-mini.py',
    '../_base_/models/self_distiller.py',
]

model = dict(neck=dict(num_cycles=2), distiller=_base_.self_distiller)
default_hooks = dict(checkpoint=dict(interval=15, max_keep_ckpts=1))
