# Table 9, second row, read as Table 6: cycles without distillation, the last one supervised and deployed.
_base_ = './deit-tiny_8xb128-300e_imagenet-224x224.py'

model = dict(neck=dict(num_cycles=2, test_cycles=2), head=dict(supervise='last'))
