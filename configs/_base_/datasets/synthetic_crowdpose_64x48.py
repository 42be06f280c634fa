# Synthetic crowds (tools/dataset_tools/make_synthetic.py --style crowdpose), cropped to 64x48 pixels.
_base_ = ['synthetic_64x48.py']

dataset_type = 'ArrayCrowdPoseDataset'
data_root = 'data/synthetic_crowdpose/'
data_hint = 'Draw them: python tools/dataset_tools/make_synthetic.py --style crowdpose --num-train N --num-val M'
num_keypoints = 14

train_dataloader = dict(
    dataset=dict(ann_file='annotations/mmpose_crowdpose_trainval.json', data_prefix=dict(img='images/'))
)
val_dataloader = dict(
    dataset=dict(
        ann_file='annotations/mmpose_crowdpose_test.json',
        bbox_file='${data_root}annotations/det_for_crowd_test_0.1_0.5.json',
        data_prefix=dict(img='images/'),
    )
)
test_dataloader = val_dataloader

val_evaluator = dict(
    ann_file='${data_root}annotations/mmpose_crowdpose_test.json',
    use_area=False,
    iou_type='keypoints_crowd',
    prefix='crowdpose',
)
test_evaluator = val_evaluator
