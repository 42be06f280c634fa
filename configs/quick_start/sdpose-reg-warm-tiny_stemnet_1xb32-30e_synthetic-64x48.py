# The quick start's SDPose-Reg, whose stem and transformer start from the trained sdpose-tiny; its head is new.
_base_ = './sdpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48.py'

load_from = 'work_dirs/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48/epoch_30.pth'
default_hooks = dict(strict_load=dict(fresh=['head']))
