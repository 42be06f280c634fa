_base_ = ['./simple-baseline_res18-narrow_8xb64-210e_mpii-256x256.py', '../../_base_/models/ikd_distiller.py']

teacher = 'configs/simple_baseline/mpii/simple-baseline_res50_8xb64-210e_mpii-256x256.py'
model = dict(head=dict(loss=dict(loss_weight=0.5)), distiller=dict(_base_.ikd_distiller, teacher=teacher))
