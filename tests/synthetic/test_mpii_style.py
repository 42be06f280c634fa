"""MPII's style: the files as MMPose's data set and metric read them."""

import json

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, KEYPOINT_CODECS, METRICS
from scipy.io import loadmat

from sdpose.config.load import load_config
from sdpose.models.data_preprocessors.heatmap_data_preprocessor import draw_heatmaps
from sdpose.preflight.mpii import check_mpii
from sdpose.synthetic import draw_scene
from sdpose.synthetic.generate import generate
from sdpose.synthetic.people.skeleton import MPII_16
from sdpose.synthetic.request import Request
from sdpose.synthetic.styles import STYLES

HEADS = 'annotations/mpii_gt_val.mat'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp('mpii') / 'set'
    generate(out, Request(2, 20, 5, 'normal', (320, 240), 'mpii'), workers=1)
    return out


@pytest.fixture(scope='module')
def people(folder):
    return json.loads((folder / 'annotations/mpii_val.json').read_text())


@pytest.fixture(scope='module')
def config(folder, repo_root):
    init_default_scope('mmpose')
    config = load_config(repo_root / 'configs/_base_/datasets/mpii_256x256.py')
    config.val_dataloader.dataset.update(data_root=f'{folder}/', headbox_file=str(folder / HEADS))
    config.train_dataloader.dataset.update(data_root=f'{folder}/', ann_file='annotations/mpii_val.json')
    return config


def test_entries_hold_what_was_drawn_counted_from_1(people, folder):
    (first, *_), boxes = people, loadmat(folder / HEADS)['headboxes_src']
    scene = draw_scene('normal', (320, 240), 5, 1, 0, labelled=MPII_16)
    drawn = next(person for person in scene.annotations if person.joints.any())
    joints = drawn.joints[list(MPII_16)]
    seen = joints[:, 2] > 0
    np.testing.assert_array_equal(first['joints_vis'], seen)
    np.testing.assert_allclose(np.array(first['joints'])[seen], joints[seen, :2] + 1, atol=0.0051)
    assert (np.array(first['joints'])[~seen] == -1).all()
    assert first['scale'] == pytest.approx(drawn.stature / 200, abs=1e-6)
    np.testing.assert_allclose(boxes[..., 0].ravel(), np.array(drawn.head_box) + 1, atol=0.0051)


def test_a_head_box_encloses_the_head_and_little_more(people, folder):
    boxes = loadmat(folder / HEADS)['headboxes_src'].transpose(2, 0, 1)
    assert boxes.shape == (len(people), 2, 2)
    for person, (low, high) in zip(people, boxes, strict=True):
        neck, top = (np.array(person['joints'][joint]) for joint in (8, 9))
        if person['joints_vis'][9]:
            assert (low - 1.5 <= top).all() and (top <= high + 1.5).all()
        # The head is 0.135 to 0.151 statures high, and its width 0.76 of that.
        size = np.linalg.norm(high - low) / (200 * person['scale'])
        assert 0.11 < size < 0.27, size


def test_the_matlab_file_agrees_with_the_json_and_has_no_date(people, folder):
    content = loadmat(folder / HEADS)
    joints = np.array([person['joints'] for person in people])
    np.testing.assert_array_equal(content['pos_gt_src'], joints.transpose(1, 2, 0))
    np.testing.assert_array_equal(content['jnt_missing'], 1 - np.array([p['joints_vis'] for p in people]).T)
    assert b'Created' not in (folder / HEADS).read_bytes()[:128]


def test_number_of_processes_changes_no_byte(folder, tmp_path):
    generate(tmp_path / 'set', Request(2, 20, 5, 'normal', (320, 240), 'mpii'), workers=2)
    for path in (folder / 'annotations').iterdir():
        assert (tmp_path / 'set/annotations' / path.name).read_bytes() == path.read_bytes(), path


def test_joints_flips_and_limbs_are_mmposes(config):
    meta = DATASETS.build({**config.train_dataloader.dataset, 'lazy_init': True}).metainfo
    assert meta['num_keypoints'] == config.num_keypoints == 16
    sides = STYLES['mpii'].sides
    assert list(sides) == [
        next((side for side in ('left', 'right') if side in name), 'middle')
        for _, name in sorted(meta['keypoint_id2name'].items())
    ]
    opposite = dict(left='right', right='left', middle='middle')
    assert [sides[joint] for joint in meta['flip_indices']] == [opposite[side] for side in sides]
    assert {frozenset(limb) for limb in STYLES['mpii'].limbs} == {frozenset(limb) for limb in meta['skeleton_links']}


def _scores(config, predict):
    dataset = DATASETS.build(config.val_dataloader.dataset)
    metric = METRICS.build(config.val_evaluator)
    metric.dataset_meta = dataset.metainfo
    for index in range(len(dataset)):
        sample = dataset[index]['data_samples'].to_dict()
        found = predict(sample['gt_instances']['keypoints'])
        metric.process({}, [dict(sample, pred_instances=dict(keypoints=found, keypoint_scores=np.ones((1, 16))))])
    return dataset, metric.evaluate(len(dataset))


def test_mmposes_metric_scores_the_truth_100_and_adds_a_pixel(config, people):
    dataset, exact = _scores(config, lambda truth: truth - 1)
    assert len(dataset) == len(people)
    assert exact['mpii/PCK'] == exact['mpii/PCK@0.1'] == pytest.approx(100)
    assert _scores(config, lambda truth: truth + 500)[1]['mpii/PCK'] == 0


def test_training_targets_are_counted_from_0_so_that_the_metric_fits(config, people):
    config = config.copy()
    pipeline = [
        step
        for step in config.train_dataloader.dataset.pipeline
        if step.type not in ('ContiguousFlip', 'ClippedNormalBBoxTransform')
    ]
    dataset = DATASETS.build({**config.train_dataloader.dataset, 'pipeline': pipeline})
    codec = KEYPOINT_CODECS.build(config.codec)
    checked = 0
    for index, person in enumerate(people[:8]):
        item = dataset[index]['data_samples']
        weights = item.gt_instance_labels.keypoint_weights[0].numpy() > 0
        labels = item.gt_instance_labels
        heatmaps = draw_heatmaps(labels.heatmap_joints, labels.heatmap_plan[0])[0]
        decoded = codec.decode(heatmaps.numpy())[0][0]
        pixels = (
            decoded / 256 * item.metainfo['input_scale']
            + item.metainfo['input_center']
            - item.metainfo['input_scale'] / 2
        )
        # Off the border, where a target is cut, to a third of a pixel of the crop.
        inner = weights & (decoded > 16).all(1) & (decoded < 240).all(1)
        error = np.abs(pixels - (np.array(person['joints']) - 1))[inner] * 256 / item.metainfo['input_scale']
        assert error.max(initial=0) < 0.35
        checked += inner.sum()
    assert checked > 60


def test_a_crop_holds_the_upright_person_and_is_the_same_without_labels(config, folder):
    labelled = DATASETS.build(config.val_dataloader.dataset)
    test_split = {**config.val_dataloader.dataset, **config.test_split}
    unlabelled = DATASETS.build(test_split)
    assert len(labelled) == len(unlabelled)
    for index in range(len(labelled)):
        one, other = (dataset[index]['data_samples'] for dataset in (labelled, unlabelled))
        for key in ('input_center', 'input_scale', 'img_path', 'id'):
            np.testing.assert_array_equal(one.metainfo[key], other.metainfo[key])
        assert 'keypoints' not in other.gt_instances


def test_the_set_passes_the_look_before_a_run(folder):
    images = folder / 'images'
    check_mpii(folder / 'annotations/mpii_train.json', images, 16)
    check_mpii(folder / 'annotations/mpii_val.json', images, 16, str(folder / HEADS))
    check_mpii(folder / 'annotations/mpii_test.json', images, 16, labelled=False)
    assert set(json.loads((folder / 'annotations/mpii_test.json').read_text())[0]) == {'image', 'center', 'scale'}


def test_real_annotations_pass_too(repo_root, tmp_path):
    """Two people of MMPose's sample annotations."""
    ann_file = repo_root / 'tests/data/mpii_people.json'
    for person in json.loads(ann_file.read_text()):
        cv2.imwrite(str(tmp_path / person['image']), np.zeros((8, 8, 3), np.uint8))
    check_mpii(ann_file, tmp_path, 16)
