# ImageNet-1k at 224x224 in class folders, with DeiT's augmentation: pipelines, loaders and metric.
data_root = 'data/imagenet/'
input_size = (224, 224)  # (w, h)
num_classes = 1000  # the model follows both
mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# timm's rand-m9-mstd0.5-inc1 in torchvision's terms: twice, with probability 1/2, one operation at strength 9 of 10.
rand_augment = dict(
    type='RandomApply',
    prob=0.5,
    transforms=[
        dict(
            type='torchvision/RandAugment',
            num_ops=1,
            magnitude=9,
            num_magnitude_bins=11,
            interpolation=3,
            fill=[124, 116, 104],
        )
    ],
)
to_normalized = [
    dict(type='torchvision/PILToTensor'),
    dict(type='torchvision/ConvertImageDtype'),
    dict(type='torchvision/Normalize', mean='${mean}', std='${std}'),
]
train_pipeline = [
    dict(type='LoadClassImage'),
    dict(
        type='torchvision/RandomResizedCrop', size=('${input_size.1}', '${input_size.0}'), interpolation=3
    ),  # 3: bicubic
    dict(type='torchvision/RandomHorizontalFlip'),
    rand_augment,
    rand_augment,
    *to_normalized,
    dict(type='torchvision/RandomErasing', p=0.25, value='random'),
    dict(type='PackClassInputs'),
]
val_pipeline = [
    dict(type='LoadClassImage'),
    dict(type='torchvision/Resize', size=256, interpolation=3),
    dict(type='torchvision/CenterCrop', size=('${input_size.1}', '${input_size.0}')),
    *to_normalized,
    dict(type='PackClassInputs'),
]

train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='RepeatedAugmentationSampler', num_repeats=3),
    dataset=dict(
        type='ClassFolderDataset',
        data_root='${data_root}',
        data_prefix=dict(img='train/'),
        pipeline='${train_pipeline}',
    ),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='ClassFolderDataset', data_root='${data_root}', data_prefix=dict(img='val/'), pipeline='${val_pipeline}'
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='TopKAccuracy', topk=(1, 5))
test_evaluator = val_evaluator
