# A very small TokenPose on MPII's 16 joints, evaluated by PCKh: the teacher of the DPPT beside it. The people:
# python tools/dataset_tools/make_synthetic.py --style mpii --level starter --num-train 900 --num-val 200 --size 320x240
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_10e.py',
    '../_base_/datasets/synthetic_mpii_64x64.py',
    '../_base_/models/tiny_stemnet.py',
]

model = dict(neck=dict(depth=3))
default_hooks = dict(checkpoint=dict(interval=5, max_keep_ckpts=1, save_best='mpii/PCK'))
