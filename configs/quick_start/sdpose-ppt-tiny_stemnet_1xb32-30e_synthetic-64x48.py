# Cycle 1 prunes, cycle 2 runs on the tokens that are left.
_base_ = ['./ppt-tiny_stemnet_1xb32-30e_synthetic-64x48.py', '../_base_/models/self_distiller.py']

model = dict(neck=dict(num_cycles=2, pruner=dict(cycles=(1,))), distiller=_base_.self_distiller)
