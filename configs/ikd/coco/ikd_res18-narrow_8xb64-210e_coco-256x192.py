_base_ = ['./simple-baseline_res18-narrow_8xb64-210e_coco-256x192.py', '../../_base_/models/ikd_distiller.py']

model = dict(head=dict(loss=dict(loss_weight=0.5)), distiller=_base_.ikd_distiller)
