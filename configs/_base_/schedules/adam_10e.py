# The quick start's schedule in a third of the time, for a pair of teacher and student.
_base_ = './adam_30e.py'

max_epochs = 10
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_epochs, T_max=max_epochs)]
