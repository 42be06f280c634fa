# As synthetic_64x48.py, with two vectors per joint as target instead of heatmaps.
_base_ = ['synthetic_64x48.py']

codec = dict(
    _delete_=True, type='SimCCLabel', input_size=(48, 64), sigma=(2.45, 2.83), simcc_split_ratio=2.0, normalize=False
)
