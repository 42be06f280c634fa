# What makes a run trustworthy, as a base of its own: a config that inherits MMPose's own runtime adds it by
# default_hooks = _base_.project_hooks
custom_imports = dict(imports=['sdpose'], allow_failed_imports=False)

project_hooks = dict(
    # One line per evaluation that says whose person boxes it used.
    box_source=dict(type='BoxSourceHook'),
    # Stops at the first NaN or infinite loss; broken weights are never saved.
    finite_loss=dict(type='FiniteLossHook'),
    # One warning per evaluation whose key points or scores are NaN or infinite, with their number.
    finite_predictions=dict(type='FinitePredictionHook'),
    # One line, early on, with every loss term's share.
    loss_share=dict(type='LossShareHook', steps=50),
    # A resumed run repeats the shuffle, augmentation and dropout of an uninterrupted one.
    reproducible_randomness=dict(type='ReproducibleRandomnessHook'),
    # SIGTERM and SIGHUP end a training after its step, with a checkpoint.
    stop=dict(type='StopHook'),
    # A checkpoint that does not fill the model is refused; allow_partial=True accepts it.
    strict_load=dict(type='StrictLoadHook', allow_partial=False),
    # One warning that explains a metric of -1, of exactly 0 or of no number.
    suspicious_metrics=dict(type='SuspiciousMetricHook'),
    # One warning when a pose loss is exactly 0 over an epoch.
    zero_loss=dict(type='ZeroLossHook'),
)
