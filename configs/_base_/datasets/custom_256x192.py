# A COCO-style data set with joints of its own at 256x192: paths here, joints in custom_metainfo.py, the published
# recipe of training from COCO's base. Copy both, and change what is here.
_base_ = ['coco_256x192.py', 'custom_metainfo.py']

data_root = 'data/custom/'
num_keypoints = len(_base_.dataset_info.keypoint_info)

train_dataloader = dict(
    dataset=dict(metainfo='${dataset_info}', ann_file='annotations/train.json', data_prefix=dict(img='train/'))
)
val_dataloader = dict(
    dataset=dict(
        metainfo='${dataset_info}',
        ann_file='annotations/val.json',
        bbox_file=None,  # annotated boxes; or the path of a file of detections, from the current folder
        data_prefix=dict(img='val/'),
    )
)
test_dataloader = val_dataloader
