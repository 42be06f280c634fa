# Equations 1 and 2 of SDPose. A leaf puts it into its model; a term set to None is switched off.
self_distiller = dict(
    type='SelfDistiller',
    detach_teacher=False,  # the released code trains both sides of each pair
    terms=dict(
        loss_query=dict(type='TokenMSELoss', on='query', loss_weight=5e-6),
        loss_visual=dict(type='TokenMSELoss', on='visual', loss_weight=5e-6),
    ),
)
