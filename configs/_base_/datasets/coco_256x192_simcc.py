# As coco_256x192.py, with two vectors per joint as target instead of heatmaps. Sigmas as in RTMPose: the root of an
# eighth of each side.
_base_ = ['coco_256x192.py']

codec = dict(
    _delete_=True, type='SimCCLabel', input_size=(192, 256), sigma=(4.9, 5.66), simcc_split_ratio=2.0, normalize=False
)
