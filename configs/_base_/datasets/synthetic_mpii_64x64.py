# Synthetic people in MPII's style (tools/dataset_tools/make_synthetic.py --style mpii), cropped to 64x64 pixels.
_base_ = ['mpii_256x256.py']

data_root = 'data/synthetic_mpii/'
data_hint = (
    'Draw them: python tools/dataset_tools/make_synthetic.py --style mpii --level starter --num-train 900 '
    '--num-val 200 --size 320x240'
)

# As synthetic_64x48.py: a coarse heatmap with sub-cell targets and decoding.
codec = dict(input_size=(64, 64), sigma=1, blur_kernel_size=5)

train_pipeline = [
    '${load_step}',
    dict(type='ZeroBasedKeypoints'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='ClippedNormalBBoxTransform', shift_factor=0.06, shift_prob=1.0, scale_factor=0.12, rotate_prob=0.0),
    dict(type='${affine_step}', input_size='${codec.input_size}', use_udp='${use_udp}'),
    dict(type='${target_step}', encoder='${codec}'),
    dict(type='${pack_step}'),
]

train_dataloader = dict(batch_size=32, num_workers=1)
val_dataloader = dict(batch_size=64, num_workers=1)
test_dataloader = val_dataloader
