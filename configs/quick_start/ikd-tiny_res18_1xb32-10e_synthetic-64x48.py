# Train the teacher first: its checkpoint lies where tools/train.py puts it.
_base_ = ['./simple-baseline-tiny_res18_1xb32-10e_synthetic-64x48.py', '../_base_/models/ikd_distiller.py']

teacher = 'simple-baseline-tiny_res18_1xb32-10e_synthetic-64x48'
terms = dict(
    _base_.ikd_distiller.terms,
    loss_feature=dict(_base_.ikd_distiller.terms.loss_feature, student_channels=64, teacher_channels=96),
    loss_deconv=dict(_base_.ikd_distiller.terms.loss_deconv, student_channels=16, teacher_channels=48))
model = dict(
    type='DistillPoseEstimator',
    backbone=dict(stem_channels=16, base_channels=16),
    head=dict(in_channels=64, deconv_out_channels=(16, 16), loss=dict(loss_weight=0.5)),
    distiller=dict(
        _base_.ikd_distiller,
        teacher=f'configs/quick_start/{teacher}.py',
        checkpoint=f'work_dirs/{teacher}/epoch_10.pth',
        terms=terms))
