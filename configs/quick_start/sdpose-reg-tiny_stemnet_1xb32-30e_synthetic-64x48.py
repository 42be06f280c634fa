_base_ = ['./tokenpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48.py', '../_base_/models/self_distiller.py']

model = dict(
    neck=dict(num_cycles=2),
    head=dict(mode='rle', loss=dict(_delete_=True, type='RLELoss', use_target_weight=True)),
    distiller=_base_.self_distiller,
)

val_evaluator = dict(score_mode='bbox_rle')
test_evaluator = val_evaluator
