# The quick start's SDPose on 14 joints of synthetic crowds; evaluated as CrowdPose is, on a detector's boxes.
# python tools/dataset_tools/make_synthetic.py --style crowdpose --num-train 1200 --num-val 200 --size 320x240
_base_ = [
    '../_base_/default_runtime.py', '../_base_/datasets/synthetic_crowdpose_64x48.py',
    '../_base_/models/sdpose_tiny.py', '../_base_/schedules/adam_cosine.py'
]
