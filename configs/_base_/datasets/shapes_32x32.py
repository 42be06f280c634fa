# Drawn shapes (tools/dataset_tools/make_shapes.py, 40x40 pixels), cropped to 32x32.
_base_ = './imagenet_224x224.py'

data_root = 'data/shapes/'
input_size = (32, 32)
num_classes = 8

# Where the shape is and how large says nothing about what it is, nor does its colour. Every class keeps its name when
# mirrored.
train_pipeline = [
    dict(type='LoadClassImage'),
    dict(type='torchvision/RandomCrop', size=input_size[::-1]),
    dict(type='torchvision/RandomHorizontalFlip'),
    dict(type='torchvision/ColorJitter', brightness=0.3, contrast=0.3, saturation=0.3),
    *_base_.to_normalized,
    dict(type='torchvision/RandomErasing', p=0.1, scale=(0.02, 0.1), value='random'),
    dict(type='PackClassInputs')
]
val_pipeline = [
    dict(type='LoadClassImage'),
    dict(type='torchvision/Resize', size=input_size[::-1], interpolation=3),
    *_base_.to_normalized,
    dict(type='PackClassInputs')
]

train_dataloader = dict(batch_size=64, num_workers=1, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(batch_size=100, num_workers=1, dataset=dict(data_root=data_root, pipeline=val_pipeline))
test_dataloader = val_dataloader
