# RTMPose's average of the weights over training, buffers included; it is validated, saved and deployed in their place.
# A config that has this file among its bases takes it over by
#     default_hooks = dict(ema=_base_.averaged_weights)
averaged_weights = dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.0002, update_buffers=True)
