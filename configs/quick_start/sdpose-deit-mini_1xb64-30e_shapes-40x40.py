# Two cycles and self-distillation on drawn shapes: tools/dataset_tools/make_shapes.py makes the data.
_base_ = [
    '../_base_/classification_runtime.py',
    '../_base_/schedules/adam_30e.py',
    '../_base_/datasets/shapes_40x40.py',
    '../_base_/models/deit-mini.py',
    '../_base_/models/self_distiller.py',
]

model = dict(
    data_preprocessor=dict(num_classes=_base_.num_classes),
    neck=dict(feature_size=_base_.input_size, num_cycles=2),
    head=dict(num_classes=_base_.num_classes),
    distiller=_base_.self_distiller,
)
default_hooks = dict(checkpoint=dict(interval=15, max_keep_ckpts=1))
