"""The loader of an evaluation gives MMPose's samples: people on shared pictures, packed without copies."""

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import DATASETS, TRANSFORMS

from sdpose.benchmarks.test import evaluation_data
from sdpose.config.load import load_config
from sdpose.datasets.transforms import LoadCheckedImage, PackTestInputs, WindowedAffine

LOAD = dict(type='LoadCheckedImage', keep_last=True, writable=False)
SIZE = (24, 32)


def assert_same(ours: Any, theirs: Any, where: str = '') -> None:
    assert type(ours) is type(theirs), where
    if isinstance(theirs, BaseDataElement):
        for kind in ('keys', 'metainfo_keys'):
            assert {*getattr(ours, kind)()} == {*getattr(theirs, kind)()}, where
        for key in (*theirs.all_keys(),):
            assert_same(getattr(ours, key), getattr(theirs, key), f'{where}.{key}')
    elif isinstance(theirs, (np.ndarray, torch.Tensor)):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape, where
        assert (ours == theirs).all(), where
    elif isinstance(theirs, list):
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other, where)
    else:
        assert ours == theirs, where


@pytest.fixture
def people(tmp_path: Path) -> dict[str, Any]:
    """Three pictures of two sizes, two with seven boxes and one with one box, some across the border."""
    rng = np.random.default_rng(0)
    images, found, annotated = [], [], []
    for number, count in enumerate((7, 1, 7)):
        height = 60 - number
        cv2.imwrite(str(tmp_path / f'{number}.png'), rng.integers(0, 255, (height, 80, 3), np.uint8))
        images.append(dict(id=number + 1, file_name=f'{number}.png', width=80, height=height))
        for _ in range(count):
            box = rng.uniform((-9, -9, 5, 5), (60, 40, 50, 50)).tolist()
            found.append(dict(image_id=number + 1, category_id=1, bbox=box, score=0.5))
            joints = np.column_stack([rng.integers(1, 50, (17, 2)), rng.integers(0, 3, 17)]).ravel().tolist()
            annotated.append(dict(found[-1], id=len(found), keypoints=joints, iscrowd=0, area=9.5, num_keypoints=9))
    kinds = [dict(id=1, name='person')]
    (tmp_path / 'boxes.json').write_text(json.dumps(found))
    (tmp_path / 'people.json').write_text(json.dumps(dict(images=images, annotations=annotated, categories=kinds)))
    init_default_scope('mmpose')
    return dict(ann_file=str(tmp_path / 'people.json'), data_prefix=dict(img=str(tmp_path)), test_mode=True)


@pytest.mark.parametrize('use_udp', [False, True])
@pytest.mark.parametrize('detected', [False, True])
def test_samples_are_those_of_mmpose(people: dict[str, Any], detected: bool, use_udp: bool) -> None:
    if detected:
        people['bbox_file'] = str(Path(people['ann_file']).with_name('boxes.json'))
    box, crop = dict(type='GetBBoxCenterScale'), dict(input_size=SIZE, use_udp=use_udp)
    ours = [LOAD, box, dict(type='WindowedAffine', **crop), dict(type='PackTestInputs')]
    theirs = [dict(type='LoadImage'), box, dict(type='TopdownAffine', **crop), dict(type='PackPoseInputs')]
    mine = DATASETS.build(dict(people, type='ArrayCocoDataset', pipeline=ours))
    others = DATASETS.build(dict(people, type='CocoDataset', pipeline=theirs))
    assert len(mine) == len(others) == 15
    for index in (*range(15), 3, 14, 0):
        one, other = mine[index], others[index]
        assert_same(one['inputs'], other['inputs'])
        assert one['inputs'].is_contiguous()
        assert_same(one['data_samples'], other['data_samples'])
        # What crosses to the process of the model has no picture in it.
        assert len(pickle.dumps(one['data_samples'])) < 1.1 * len(pickle.dumps(other['data_samples']))


def test_nobody_writes_into_a_shared_picture(tmp_path: Path) -> None:
    file = str(tmp_path / 'a.png')
    cv2.imwrite(file, np.full((9, 8, 3), 7, np.uint8))
    load = LoadCheckedImage(keep_last=True, writable=False)
    first, second = (load.transform(dict(img_path=file, img_id=1))['img'] for _ in range(2))
    assert first is second
    with pytest.raises(ValueError, match='read-only'):
        first += 1
    with pytest.raises(cv2.error):
        cv2.rectangle(first, (1, 1), (3, 3), 0)
    cv2.imwrite(file, np.full((9, 8, 3), 9, np.uint8))  # another content by this name
    assert (load.transform(dict(img_path=file, img_id=1))['img'] == 9).all() and (first == 7).all()
    with pytest.raises(ValueError, match='set both'):
        LoadCheckedImage(writable=False)


def test_four_channels_are_made_once_of_what_cannot_change(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original = cv2.cvtColor
    monkeypatch.setattr(cv2, 'cvtColor', lambda *args, **kw: made.append(args[0].shape) or original(*args, **kw))
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    step = WindowedAffine(input_size=SIZE)

    def crop(image: np.ndarray) -> np.ndarray:
        joints = np.zeros((1, 2, 2), np.float32)
        box = dict(bbox_center=np.full((1, 2), 30, np.float32), bbox_scale=np.full((1, 2), 20, np.float32))
        return step.transform(dict(img=image, keypoints=joints, **box))['img']

    before = [crop(picture) for _ in range(3)][-1]
    picture[:] = 255 - picture
    assert (crop(picture) != before).all() and step._shared is None
    picture.flags.writeable = False
    made.clear()
    expected = [crop(picture) for _ in range(4)]
    assert made.count(picture.shape) == 1 and all((each == expected[0]).all() for each in expected)
    other = picture[::-1].copy()
    other.flags.writeable = False
    assert (crop(other) != expected[0]).any()
    assert '_shared' not in step.__getstate__() and (pickle.loads(pickle.dumps(step)).input_size == SIZE)


@pytest.mark.parametrize('kind', ['grey', 'several', 'float', 'fields', 'levels', 'transformed'])
def test_what_is_packed_otherwise_is_packed_by_mmpose(kind: str) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (4, 5, 3), np.uint8)
    maps = rng.random((2, 4, 5), np.float32)
    sample: dict[str, Any] = dict(
        img=dict(grey=image[..., :1], several=[image, image], float=image / 255).get(kind, image),
        keypoints=np.zeros((1, 2, 2)),
        keypoint_weights=np.ones((1, 2), np.float32),
        transformed_keypoints=np.ones((1, 2, 2)),
        bbox=np.ones((1, 4)),
        id=3,
        flip_indices=[1, 0],
        raw_ann_info=None,
    )
    if kind in ('fields', 'levels'):
        sample['heatmaps'] = maps if kind == 'fields' else [maps, maps[:, :2, :2]]
    steps = (kind(pack_transformed=kind == 'transformed') for kind in (PackTestInputs, PackPoseInputs))
    ours, theirs = (step.transform(dict(sample)) for step in steps)
    assert_same(ours['inputs'], theirs['inputs'])
    assert_same(ours['data_samples'], theirs['data_samples'])


def test_the_benchmark_measures_the_steps_of_the_config(repo_root: Path, tmp_path: Path) -> None:
    cfg: Config = load_config(repo_root / 'configs/_base_/datasets/coco_256x192.py')
    init_default_scope('mmpose')
    dataset = evaluation_data(tmp_path, 1, 1, 'here')
    given = dict(cfg.val_dataloader.dataset, **{key: getattr(dataset, key) for key in ('ann_file', 'bbox_file')})
    of_config = DATASETS.build(dict(given, data_root='', data_prefix=dict(img=str(tmp_path))))
    assert type(dataset) is type(of_config)
    for one, other in zip(dataset.pipeline.transforms, of_config.pipeline.transforms, strict=True):
        assert type(one) is type(other) and vars(one) == vars(other)


def test_the_ways_back_are_a_line_each(repo_root: Path, tmp_path: Path) -> None:
    readme = (repo_root / 'configs/_base_/datasets/README.md').read_text()
    lines = [line for line in readme.splitlines() if line.startswith('val_') and '_step = ' in line]
    base = repo_root / 'configs/_base_/datasets/coco_256x192.py'
    (tmp_path / 'leaf.py').write_text('\n'.join([f"_base_ = ['{base}']", *lines]))
    for split in ('val', 'test'):
        steps = load_config(tmp_path / 'leaf.py')[f'{split}_dataloader'].dataset.pipeline
        assert [step.type for step in steps] == ['LoadImage', 'GetBBoxCenterScale', 'TopdownAffine', 'PackPoseInputs']
        init_default_scope('mmpose')
        assert [TRANSFORMS.build(step) for step in steps]
