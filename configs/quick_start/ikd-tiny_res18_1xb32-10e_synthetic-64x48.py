# Train the teacher first: its checkpoint lies where tools/train.py puts it.
_base_ = ['./simple-baseline-tiny_res18_1xb32-10e_synthetic-64x48.py', '../_base_/models/ikd_distiller.py']

teacher = 'simple-baseline-tiny_res18_1xb32-10e_synthetic-64x48'
terms = _base_.ikd_distiller.terms
# A target covers four times as much of these small maps, so the heatmap losses are larger: the other weights follow.
scaled = dict(
    loss_feature=dict(terms.loss_feature, student_channels=64, teacher_channels=96, loss_weight=4e-3),
    loss_deconv=dict(terms.loss_deconv, student_channels=16, teacher_channels=48, loss_weight=4e-3),
    loss_structure=dict(terms.loss_structure, loss_weight=12e-3),
)
model = dict(
    backbone=dict(stem_channels=16, base_channels=16),
    head=dict(in_channels=64, deconv_out_channels=(16, 16), loss=dict(loss_weight=0.5)),
    distiller=dict(
        _base_.ikd_distiller,
        teacher=f'configs/quick_start/{teacher}.py',
        checkpoint=f'work_dirs/{teacher}/epoch_10.pth',
        terms=dict(terms, **scaled),
    ),
)
