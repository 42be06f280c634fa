# As synthetic_64x48.py, with coordinates over the image size as target instead of heatmaps.
_base_ = ['synthetic_64x48.py']

codec = dict(_delete_=True, type='RegressionLabel', input_size=(48, 64))
