# Not the paper's: each keypoint token also tells whether its joint can be seen.
_base_ = './sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'

pack_step = 'PackVisibilityInputs'
model = dict(head=dict(visibility=dict()))

val_evaluator = [_base_.val_evaluator, dict(type='VisibilityAUC')]
test_evaluator = val_evaluator
