# Table 9, third row: every cycle supervised, the class token as query token, the first cycle deployed.
_base_ = ['./deit-tiny_8xb128-300e_imagenet-224x224.py', '../../_base_/models/self_distiller.py']

model = dict(neck=dict(num_cycles=2), distiller=_base_.self_distiller)
