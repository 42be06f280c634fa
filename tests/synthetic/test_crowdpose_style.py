"""CrowdPose's style: the crowd index by hand, and the files as CrowdPose's own readers see them."""

import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, METRICS
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from sdpose.config.load import load_config
from sdpose.preflight.coco import check_detections, check_people
from sdpose.synthetic.generate import generate
from sdpose.synthetic.people.skeleton import CROWDPOSE_14, JOINTS
from sdpose.synthetic.request import Request
from sdpose.synthetic.styles import STYLES, crowd_index

ANNOTATIONS = 'annotations/mmpose_crowdpose_test.json'
BOXES = 'annotations/det_for_crowd_test_0.1_0.5.json'
CONFIG = 'configs/_base_/datasets/crowdpose_256x192.py'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp('crowd') / 'set'
    generate(out, Request(1, 40, 5, 'crowd', (320, 240), 'crowdpose'), workers=1)
    return out


@pytest.fixture(scope='module')
def truth(folder):
    return json.loads((folder / ANNOTATIONS).read_text())


@pytest.fixture(scope='module')
def config(folder, repo_root):
    init_default_scope('mmpose')
    config = load_config(repo_root / CONFIG)
    config.val_dataloader.dataset.update(data_root=f'{folder}/', bbox_file=str(folder / BOXES))
    config.val_evaluator.ann_file = str(folder / ANNOTATIONS)
    return config


def person(box, *joints):
    return dict(bbox=box, keypoints=[value for joint in joints for value in joint])


def test_crowd_index_by_hand():
    left = person((0, 0, 10, 10), (2, 2, 2), (8, 8, 1))
    right = person((5, 5, 10, 10), (5, 5, 2), (15, 15, 2), (11, 12, 1), (0, 0, 0))
    nobody = person((0, 0, 99, 99), (0, 0, 0))
    # One joint of the right one, on the border, lies in the left box: 1/2. One of the left one in the right box: 1/3.
    assert crowd_index([left, right]) == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert crowd_index([left, right, nobody]) == crowd_index([left, right])
    assert crowd_index([left]) == crowd_index([nobody]) == crowd_index([]) == 0


def test_crowd_index_is_the_published_one(repo_root):
    """On the people of the two pictures of MMPose's sample annotations."""
    content = json.loads((repo_root / 'tests/data/crowd_index.json').read_text())
    assert len(content['images']) == 2 and len(content['annotations']) == 5
    for image in content['images']:
        people = [p for p in content['annotations'] if p['image_id'] == image['id']]
        assert round(crowd_index(people), 2) == image['crowdIndex']
        for annotation in people:  # which leaves head and neck out
            assert annotation['num_keypoints'] == sum(flag > 0 for flag in annotation['keypoints'][2:36:3])


def test_content_is_crowdposes(folder, truth):
    (category,) = truth['categories']
    assert len(category['keypoints']) == 14 and category['keypoints'][-2:] == ['head', 'neck']
    for image in truth['images']:
        people = [p for p in truth['annotations'] if p['image_id'] == image['id']]
        assert image['crowdIndex'] == round(crowd_index(people), 2)
    for annotation in truth['annotations']:
        assert len(annotation['keypoints']) == 42 and 'area' not in annotation
        assert annotation['num_keypoints'] == sum(flag > 0 for flag in annotation['keypoints'][2:36:3])
    assert check_people(folder / ANNOTATIONS, folder / 'images', 14, True, use_area=False, crowd=True) == []
    assert check_detections(folder / BOXES, folder / ANNOTATIONS, folder / 'images', 14, False, crowd=True) == []


def test_every_third_of_the_crowd_index_is_common(truth):
    index = np.array([image['crowdIndex'] for image in truth['images']])
    thirds = [(index < 0.2).mean(), ((index >= 0.2) & (index < 0.8)).mean(), (index >= 0.8).mean()]
    assert min(thirds) >= 0.15, thirds


def test_joints_flips_and_limbs_are_mmposes(config):
    meta = DATASETS.build({**config.train_dataloader.dataset, 'lazy_init': True}).metainfo
    ours = [JOINTS[joint].replace('head_top', 'top_head').replace('upper_neck', 'neck') for joint in CROWDPOSE_14]
    assert [meta['keypoint_id2name'][joint] for joint in range(14)] == ours and config.num_keypoints == 14
    assert [ours[joint] for joint in meta['flip_indices']] == [
        name.replace('left', '#').replace('right', 'left').replace('#', 'right') for name in ours
    ]
    assert {frozenset(limb) for limb in STYLES['crowdpose'].limbs} == {
        frozenset(limb) for limb in meta['skeleton_links']
    }
    assert STYLES['crowdpose'].sides == ('left', 'right') * 6 + ('middle', 'middle')


def test_xtcocotools_scores_the_truth_1_in_every_third(folder, truth, config):
    sigmas = DATASETS.build({**config.train_dataloader.dataset, 'lazy_init': True}).metainfo['sigmas']
    coco = COCO(str(folder / ANNOTATIONS))
    results = coco.loadRes(
        [
            dict(
                image_id=p['image_id'],
                category_id=1,
                score=1.0,
                keypoints=[v if i % 3 < 2 else 1.0 for i, v in enumerate(p['keypoints'])],
            )
            for p in truth['annotations']
            if p['num_keypoints']
        ]
    )
    evaluation = COCOeval(coco, results, 'keypoints_crowd', sigmas, use_area=False)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    np.testing.assert_allclose(evaluation.stats, 1)


@pytest.mark.parametrize('boxes', ['annotated', 'detected'])
def test_mmpose_reads_it_and_scores_the_truth_on_annotated_boxes_1(config, truth, folder, boxes):
    chosen = config.val_dataloader.dataset
    dataset = DATASETS.build({**chosen, 'bbox_file': None if boxes == 'annotated' else chosen.bbox_file})
    if boxes == 'detected':
        found = json.loads((folder / BOXES).read_text())
        assert len(dataset) == len(found) and dataset[0]['data_samples'].gt_instances.bbox_scores[0] < 1
        assert 0.8 * len(truth['annotations']) < len(found) < 1.2 * len(truth['annotations'])
        return
    metric = METRICS.build(config.val_evaluator)
    metric.dataset_meta = dataset.metainfo
    for index in range(len(dataset)):
        info, item = dataset.get_data_info(index), dataset[index]['data_samples']
        instances = dict(
            keypoints=info['keypoints'],
            keypoint_scores=np.ones((1, 14), np.float32),
            bboxes=item.gt_instances.bboxes,
            bbox_scores=np.ones(1, np.float32),
        )
        metric.process(
            {},
            [
                dict(
                    id=item.id,
                    img_id=item.img_id,
                    category_id=1,
                    pred_instances=instances,
                    gt_instances=dict(bboxes=item.gt_instances.bboxes),
                    raw_ann_info=None,
                )
            ],
        )
    scores = metric.evaluate(len(dataset))
    for name in ('AP', 'AP(E)', 'AP(M)', 'AP(H)'):
        assert scores[f'crowdpose/{name}'] == pytest.approx(1)


def test_number_of_processes_changes_no_byte(folder, tmp_path):
    generate(tmp_path / 'set', Request(1, 40, 5, 'crowd', (320, 240), 'crowdpose'), workers=2)
    files = [path for path in folder.rglob('*') if path.is_file()]
    assert len(files) > 40  # pictures, too
    for path in files:
        assert (tmp_path / 'set' / path.relative_to(folder)).read_bytes() == path.read_bytes(), path
