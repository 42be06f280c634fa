# The quick start's SDPose whose weights are averaged over some 100 steps, as the training has few.
_base_ = ['./sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py', '../_base_/recipes/averaged_weights.py']

default_hooks = dict(ema=dict(_base_.averaged_weights, momentum=0.01, gamma=100))
