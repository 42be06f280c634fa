# The quick start's schedule in a third of the time, for a pair of teacher and student.
_base_ = './adam_30e.py'

max_epochs = 10
train_cfg = dict(val_interval='${max_epochs}')
