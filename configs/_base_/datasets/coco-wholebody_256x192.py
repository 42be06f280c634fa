# COCO-WholeBody at 256x192: 133 joints of COCO's people (body, feet, face, hands) on COCO's pictures and boxes, AP of
# each part and of the whole.
_base_ = ['coco_256x192.py']

dataset_type = 'ArrayCocoWholeBodyDataset'
num_keypoints = 133

train_dataloader = dict(dataset=dict(ann_file='annotations/coco_wholebody_train_v1.0.json'))
val_dataloader = dict(dataset=dict(ann_file='annotations/coco_wholebody_val_v1.0.json'))
test_dataloader = val_dataloader

val_evaluator = dict(type='CocoWholeBodyMetric', ann_file='${data_root}annotations/coco_wholebody_val_v1.0.json')
test_evaluator = val_evaluator
