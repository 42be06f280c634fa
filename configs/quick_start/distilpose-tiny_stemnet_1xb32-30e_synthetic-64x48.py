# Train the teacher first: its checkpoint lies where tools/train.py puts it.
_base_ = ['./tokenpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48.py', '../_base_/models/teacher_distiller.py']

teacher = 'tokenpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
model = dict(
    head=dict(mode='all'),
    distiller=dict(
        _base_.teacher_distiller,
        teacher=f'configs/quick_start/{teacher}.py',
        checkpoint=f'work_dirs/{teacher}/epoch_30.pth',
    ),
)
