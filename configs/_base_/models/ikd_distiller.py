# The three distillations of IKD; every formula and weight is a proposal, see configs/ikd/README.md.
# The checkpoint is the user's own training of the teacher; a term set to None is switched off.
ikd_distiller = dict(
    type='TeacherDistiller',
    teacher='configs/simple_baseline/coco/simple-baseline_res50_8xb64-210e_coco-256x192.py',
    checkpoint=None,
    terms=dict(
        # With a weight of 0.5 on the annotation (the student's head): FPD's mix of annotation and teacher, alpha 0.5.
        loss_logit=dict(type='HeatmapLogitLoss', on='prediction', loss_weight=0.5),
        loss_feature=dict(
            type='FeatureMSELoss', on='backbone', student_channels=512, teacher_channels=2048, loss_weight=1e-3
        ),
        loss_deconv=dict(
            type='FeatureMSELoss', on='deconv', student_channels=64, teacher_channels=256, loss_weight=1e-3
        ),
        loss_structure=dict(type='JointRelationLoss', on='prediction', loss_weight=3e-3),
    ),
)
