# The terms of DistilPose. A leaf adds the student; the checkpoint is the user's own training of the teacher.
teacher_distiller = dict(
    type='TeacherDistiller',
    teacher='configs/distilpose/coco/tokenpose-l_hrnet-w48-4stage_8xb64-300e_coco-256x192.py',
    checkpoint=None,
    terms=dict(
        loss_query=dict(type='TokenMSELoss', on='query', loss_weight=5e-4),
        loss_visual=dict(type='TokenMSELoss', on='visual', loss_weight=5e-4),
        loss_simulated=dict(type='SimulatedHeatmapLoss', on='prediction', weighting='per_sample', loss_weight=1.0),
        loss_score=dict(type='ScoreLoss', on='prediction', loss_weight=0.01),
    ),
)
