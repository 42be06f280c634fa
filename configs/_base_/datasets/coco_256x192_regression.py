# As coco_256x192.py, with coordinates over the image size as target instead of heatmaps.
_base_ = ['coco_256x192.py']

codec = dict(_delete_=True, type='RegressionLabel', input_size=(192, 256))
