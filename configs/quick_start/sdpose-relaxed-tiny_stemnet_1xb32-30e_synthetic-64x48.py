# Not the paper's: a second cycle with norms of its own, which sees the image again and teaches by normalized tokens.
_base_ = './sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'

model = dict(
    neck=dict(cycle_adapter=[dict(type='CycleInjection'), dict(type='CycleNorm')]),
    distiller=dict(
        detach_teacher=True,
        terms=dict(
            loss_query=dict(normalize=True, loss_weight=0.05),
            loss_visual=dict(on='visual_content', normalize=True, loss_weight=0.05),
        ),
    ),
)
