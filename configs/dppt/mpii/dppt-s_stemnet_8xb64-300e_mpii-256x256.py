_base_ = ['../../ppt/mpii/ppt-s_stemnet_8xb64-300e_mpii-256x256.py', '../../_base_/models/dppt_distiller.py']

model = dict(distiller=_base_.dppt_distiller)
# PPT's own recipe: nothing is pruned for 10 epochs, then less and less is kept, 70 % from epoch 110 on.
custom_hooks = [dict(type='KeepRatioHook', start_epochs=10, anneal_epochs=100)]
