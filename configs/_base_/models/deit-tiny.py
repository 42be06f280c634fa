# DeiT-Tiny through the project's own tokens and layers. Classes and size follow the data set's.
model = dict(
    type='DistillClassifier',
    data_preprocessor=dict(
        type='ClassDataPreprocessor',
        num_classes='${num_classes}',
        mixing=[dict(type='torchvision/MixUp', alpha=0.8), dict(type='torchvision/CutMix', alpha=1.0)],
    ),
    neck=dict(
        type='MultiCycledTransformer',
        feature_size='${input_size}',
        in_channels=3,  # patches of the image itself
        patch_size=(16, 16),
        num_queries=1,  # the class token
        dim=192,
        depth=12,
        num_heads=3,
        mlp_ratio=4,
        position='learnable',
        qkv_bias=True,
        norm_eps=1e-6,
        drop_path=0.1,
        num_cycles=1,
        test_cycles=1,
    ),
    head=dict(
        type='TokenClsHead',
        num_classes='${num_classes}',
        in_channels=192,
        norm_eps=1e-6,
        supervise='all',
        loss=dict(type='SoftCrossEntropyLoss', label_smoothing=0.1),
    ),
)
