# A very small TokenPose for a first run on two CPU cores: five minutes of training at most, no download.
# Run it with OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE (tools/quickstart.sh does): one thread computes, the
# loader's process has the other core, and threads that wait for each other do not take it away.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_30e.py',
    '../_base_/datasets/synthetic_64x48.py',
    '../_base_/models/tiny_stemnet.py',
]

default_hooks = dict(checkpoint=dict(interval=15, max_keep_ckpts=1))
