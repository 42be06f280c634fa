# Synthetic people (tools/dataset_tools/make_synthetic.py, level starter, 320x240), cropped to 64x48 pixels.
_base_ = ['coco_256x192.py']

data_root = 'data/synthetic_starter/'
data_hint = (
    'Draw them: python tools/dataset_tools/make_synthetic.py --out data/synthetic_starter --level starter '
    '--num-train 1500 --num-val 200 --size 320x240'
)

# A 16x12 heatmap is enough: encoding and decoding the annotations alone scores above 0.97 AP. It needs a
# target that is not rounded to whole cells (unbiased) and the matching sub-cell decoding, whose blur fits
# sigma 1.
codec = dict(input_size=(48, 64), sigma=1, blur_kernel_size=5)

# Flips and small changes of position and size; no rotation, no half bodies: starter people stand upright.
train_pipeline = [
    '${load_step}',
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='ClippedNormalBBoxTransform', shift_factor=0.06, shift_prob=1.0, scale_factor=0.12, rotate_prob=0.0),
    dict(type='${affine_step}', input_size='${codec.input_size}', use_udp='${use_udp}'),
    dict(type='${target_step}', encoder='${codec}'),
    dict(type='${pack_step}'),
]

# One loader process: it keeps one core busy while the other computes.
train_dataloader = dict(
    batch_size=32, num_workers=1, dataset=dict(ann_file='annotations/train.json', data_prefix=dict(img='train/'))
)
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    dataset=dict(
        ann_file='annotations/val.json',
        bbox_file=None,  # ground-truth boxes: no detector has seen these people
        data_prefix=dict(img='val/'),
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(ann_file='${data_root}annotations/val.json')
test_evaluator = val_evaluator
