# DeiT-Tiny through the project's own tokens and layers. What depends on the data set is filled in by the leaf.
model = dict(
    type='DistillClassifier',
    data_preprocessor=dict(
        type='ClassDataPreprocessor',
        mixing=[dict(type='torchvision/MixUp', alpha=0.8), dict(type='torchvision/CutMix', alpha=1.0)],
    ),
    neck=dict(
        type='MultiCycledTransformer',
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
        in_channels=192,
        norm_eps=1e-6,
        supervise='all',
        loss=dict(type='SoftCrossEntropyLoss', label_smoothing=0.1),
    ),
)
