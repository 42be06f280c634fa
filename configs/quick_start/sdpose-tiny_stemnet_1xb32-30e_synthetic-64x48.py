# The quick start's SDPose: the tiny TokenPose, its one layer run twice in training.
_base_ = ['./tokenpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py', '../_base_/models/self_distiller.py']

model = dict(neck=dict(num_cycles=2), distiller=_base_.self_distiller)
