# Synthetic people (tools/dataset_tools/make_synthetic.py) at the size and with the recipe of COCO.
_base_ = ['coco_256x192.py']

data_root = 'data/synthetic_coco/'
data_hint = 'Draw them: python tools/dataset_tools/make_synthetic.py --num-train N --num-val M'

train_dataloader = dict(dataset=dict(ann_file='annotations/train.json', data_prefix=dict(img='train/')))
val_dataloader = dict(
    dataset=dict(
        ann_file='annotations/val.json',
        bbox_file=None,  # ground-truth boxes: no detector has seen these people
        data_prefix=dict(img='val/'),
    )
)
test_dataloader = val_dataloader
