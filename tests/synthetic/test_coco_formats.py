"""The annotations as every COCO reader sees them, and the ceiling that the quick start's codec allows."""

import json

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, KEYPOINT_CODECS, METRICS
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from xtcocotools.coco import COCO as XtCOCO
from xtcocotools.cocoeval import COCOeval as XtCOCOeval

from sdpose.synthetic.generate import generate
from sdpose.synthetic.people.skeleton import COCO_JOINTS
from sdpose.synthetic.request import Request


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp('synthetic') / 'set'
    generate(out, Request(0, 40, 7, 'starter', (320, 240)), workers=1)
    return out


@pytest.fixture(scope='module')
def truth(folder):
    return json.loads((folder / 'annotations' / 'val.json').read_text())


@pytest.fixture(scope='module')
def dataset(folder, repo_root):
    init_default_scope('mmpose')
    config = Config.fromfile(repo_root / 'configs/_base_/datasets/synthetic_64x48.py').val_dataloader.dataset
    return DATASETS.build({**config, 'data_root': f'{folder}/'})


def as_results(people):
    return [
        dict(
            image_id=p['image_id'],
            category_id=1,
            score=1.0,
            keypoints=[v if i % 3 < 2 else 1.0 for i, v in enumerate(p['keypoints'])],
        )
        for p in people
        if p['num_keypoints']
    ]


def test_content_is_coco(truth):
    (category,) = truth['categories']
    assert category['keypoints'] == list(COCO_JOINTS) and len(category['skeleton']) == 19
    assert 'ynthetic' in truth['info']['description']
    assert len({person['id'] for person in truth['annotations']}) == len(truth['annotations']) >= 60
    for person in truth['annotations']:
        flags = person['keypoints'][2::3]
        assert person['num_keypoints'] == sum(flag > 0 for flag in flags) and set(flags) <= {0, 1, 2}
        x, y, w, h = person['bbox']
        assert 0 <= x < x + w <= 320 and 0 <= y < y + h <= 240 and 0 < person['area'] <= w * h


@pytest.mark.parametrize('tools', ['pycocotools', 'xtcocotools'])
def test_truth_as_prediction_scores_1(folder, truth, dataset, tools):
    coco = dict(pycocotools=COCO, xtcocotools=XtCOCO)[tools](str(folder / 'annotations' / 'val.json'))
    results = coco.loadRes(as_results(truth['annotations']))
    if tools == 'pycocotools':
        evaluation = COCOeval(coco, results, 'keypoints')
    else:
        evaluation = XtCOCOeval(coco, results, 'keypoints', dataset.metainfo['sigmas'])
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def sample(dataset, index, keypoints, scores):
    """One prediction as MMPose's test loop hands it to a metric."""
    item = dataset[index]['data_samples']
    instances = dict(
        keypoints=keypoints[None],
        keypoint_scores=scores[None],
        bboxes=item.gt_instances.bboxes,
        bbox_scores=np.ones(1, np.float32),
    )
    return dict(
        id=item.metainfo['id'],
        img_id=item.metainfo['img_id'],
        category_id=1,
        pred_instances=instances,
        gt_instances={k: item.gt_instances.get(k) for k in ('bboxes', 'bbox_scores')},
        raw_ann_info=None,
    )


def average_precision(dataset, folder, predict):
    metric = METRICS.build(dict(type='CocoMetric', ann_file=str(folder / 'annotations' / 'val.json')))
    metric.dataset_meta = dataset.metainfo
    metric.process(
        {},
        [
            sample(dataset, index, *predict(dataset.get_data_info(index), dataset[index]['data_samples']))
            for index in range(len(dataset))
        ],
    )
    return metric.evaluate(len(dataset))['coco/AP']


def test_mmpose_reads_it_and_scores_the_truth_1(dataset, folder, truth):
    assert len(dataset) == sum(person['num_keypoints'] > 0 for person in truth['annotations'])
    score = average_precision(dataset, folder, lambda info, _: (info['keypoints'][0], np.ones(17, np.float32)))
    assert score == pytest.approx(1.0)


def test_the_codec_of_the_quick_start_loses_little(dataset, folder, repo_root):
    codec_config = Config.fromfile(repo_root / 'configs/_base_/datasets/synthetic_64x48.py').codec
    codec = KEYPOINT_CODECS.build(codec_config)
    size = np.array(codec_config.input_size)

    def through_heatmaps(info, item):
        scale, corner = item.metainfo['input_scale'], item.metainfo['input_center'] - item.metainfo['input_scale'] / 2
        inside = (info['keypoints'][0] - corner) / scale * size
        encoded = codec.encode(inside[None].astype(np.float32), info['keypoints_visible'].astype(np.float32))
        decoded, scores = codec.decode(encoded['heatmaps'])
        return decoded[0] / size * scale + corner, scores[0]

    assert average_precision(dataset, folder, through_heatmaps) >= 0.97
