# The quick start's SDPose on MPII's 16 joints, evaluated by PCKh. The people:
# python tools/dataset_tools/make_synthetic.py --style mpii --level starter --num-train 900 --num-val 200 --size 320x240
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_30e.py',
    '../_base_/datasets/synthetic_mpii_64x64.py',
    '../_base_/models/tiny_stemnet.py',
    '../_base_/models/self_distiller.py',
]

model = dict(neck=dict(num_cycles=2), distiller=_base_.self_distiller)
default_hooks = dict(checkpoint=dict(interval=15, max_keep_ckpts=1, save_best='mpii/PCK'))
