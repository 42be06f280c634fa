_base_ = [
    '../../_base_/classification_runtime.py',
    '../../_base_/schedules/adamw_300e.py',
    '../../_base_/datasets/imagenet_224x224.py',
    '../../_base_/models/deit-tiny.py',
]
