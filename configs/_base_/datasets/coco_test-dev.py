# COCO test-dev 2017, which has no public annotations: `tools/test.py CONFIG CHECKPOINT --test-dev` puts these files in
# place of the test data of any config with COCO's 17 joints. A config may do so itself:
# test_dataloader=dict(dataset=_base_.test_dev), test_evaluator=dict(format_only=True).
test_dev = dict(
    data_root='data/coco/',
    ann_file='annotations/image_info_test-dev2017.json',
    bbox_file='data/coco/person_detection_results/COCO_test-dev2017_detections_AP_H_609_person.json',
    data_prefix=dict(img='test2017/'),
)
