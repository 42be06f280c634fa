# The runtime of classification: another score decides which checkpoint is best, and nothing draws poses.
_base_ = './default_runtime.py'

default_hooks = dict(_base_.default_hooks, _delete_=True)
default_hooks.pop('visualization')
default_hooks['checkpoint']['save_best'] = 'accuracy/top1'
visualizer = dict(type='Visualizer')
