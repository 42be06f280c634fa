# The release has no runnable code for this model: cycles, token weights and schedule are inferred, see the README.
_base_ = [
    '../../tokenpose/coco/tokenpose-reg_stemnet_8xb64-300e_coco-256x192.py',
    '../../_base_/models/self_distiller.py',
]

model = dict(
    neck=dict(num_cycles=2),
    head=dict(mode='rle', loss=dict(_delete_=True, type='RLELoss', use_target_weight=True)),
    distiller=_base_.self_distiller,
)

val_evaluator = dict(score_mode='bbox_rle')
test_evaluator = val_evaluator
