# Not the paper's: annotations teach the first cycle less and less, the last cycle's heatmaps more and more (ELT).
_base_ = './sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'

prediction = dict(type='HeatmapLogitLoss', on='prediction')
model = dict(
    distiller=dict(
        terms=dict(loss_query=None, loss_visual=None, loss_prediction=prediction), teacher='last', detach_teacher=True
    )
)
custom_hooks = [dict(type='TeachingScheduleHook', epochs=30, end=0.5, trade=True)]
