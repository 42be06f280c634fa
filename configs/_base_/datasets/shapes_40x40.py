# Drawn shapes (tools/dataset_tools/make_shapes.py, 48x48 pixels), cropped to 40x40. Mirrored shapes keep their names.
_base_ = './imagenet_224x224.py'

data_root = 'data/shapes/'
data_hint = 'Draw them: python tools/dataset_tools/make_shapes.py'
input_size = (40, 40)
num_classes = 8

train_pipeline = [
    dict(type='LoadClassImage'),
    dict(type='torchvision/RandomCrop', size=('${input_size.1}', '${input_size.0}')),
    dict(type='torchvision/RandomHorizontalFlip'),
    *_base_.to_normalized,
    dict(type='PackClassInputs'),
]
val_pipeline = [
    dict(type='LoadClassImage'),
    dict(type='torchvision/CenterCrop', size=('${input_size.1}', '${input_size.0}')),
    *_base_.to_normalized,
    dict(type='PackClassInputs'),
]

# One loader process: it keeps one core busy while the other computes. Every image once an epoch.
train_dataloader = dict(batch_size=64, num_workers=1, sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True))
val_dataloader = dict(batch_size=100, num_workers=1)
test_dataloader = val_dataloader
