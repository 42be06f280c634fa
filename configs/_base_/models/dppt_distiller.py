# The three links of DPPT; every formula and weight is a proposal, see configs/dppt/README.md.
# The checkpoint is the user's own training of the teacher; a term set to None is switched off.
dppt_distiller = dict(
    type='TeacherDistiller',
    teacher='configs/tokenpose/mpii/tokenpose-s-v1_stemnet_8xb64-300e_mpii-256x256.py',
    checkpoint=None,
    prune_by_teacher=False,
    terms=dict(
        loss_logit=dict(type='HeatmapLogitLoss', on='prediction', use_target_weight=True, loss_weight=1.0),
        loss_attention=dict(
            type='JointAttentionLoss', on='trace', divergence='kl', support='surviving', loss_weight=0.01
        ),
        # Behind the layers that prune and the last one.
        loss_token=dict(type='JointTokenLoss', on='trace', layers=(3, 6, 9, 11), loss_weight=5e-4),
    ),
)
