# MMPose's runtime, this project's parts, and the hooks that make a run trustworthy.
# Written out instead of inheriting mmpose::_base_/default_runtime.py: that file sets train_cfg, and MMEngine
# lets no second base, such as a schedule, set the same key.
_base_ = './project_hooks.py'

default_scope = 'mmpose'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='ResumableCheckpointHook', interval=10, max_keep_ckpts=3, save_best='coco/AP', rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='PoseVisualizationHook', enable=False),
    # Averages buffers such as batch norm's running statistics over processes after each epoch. Here and not among
    # custom_hooks, which a config that names hooks of its own replaces.
    sync_buffers=dict(type='SyncBuffersHook'),
    **_base_.project_hooks,
)

env_cfg = dict(
    cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0), dist_cfg=dict(backend='nccl')
)

vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='PoseLocalVisualizer', vis_backends=vis_backends, name='visualizer')

# MMEngine's, with each term's share of the loss.
log_processor = dict(type='LossLogProcessor', window_size=50, by_epoch=True, num_digits=6)
log_level = 'INFO'
load_from = None
resume = False

val_cfg = dict()
test_cfg = dict()
