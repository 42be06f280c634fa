# Not the paper's: cycle 1 prunes and is deployed; cycle 2 is the same model over all patches, whose heatmaps teach it.
_base_ = './sdpose-ppt-tiny_stemnet_1xb32-30e_synthetic-64x48.py'

prediction = dict(type='HeatmapLogitLoss', on='prediction')
model = dict(
    neck=dict(cycle_adapter=dict(type='CycleRestart')),
    distiller=dict(terms=dict(loss_query=None, loss_visual=None, loss_prediction=prediction), detach_teacher=True),
)
