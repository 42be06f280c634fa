"""Data sets on shared arrays give MMPose's samples."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmpose.datasets import AP10KDataset, CocoDataset, CocoWholeBodyDataset, CrowdPoseDataset
from torch.utils.data import DataLoader

from sdpose.datasets import ArrayAP10KDataset, ArrayCocoDataset, ArrayCocoWholeBodyDataset, ArrayCrowdPoseDataset
from sdpose.datasets.array_coco_dataset import ArraySamples, WholeBodySamples

DATA = Path(__file__).parents[3] / 'shared/data'
Content = dict[str, Any]


def person(number: int, **changes: Any) -> dict[str, Any]:
    joints = [[3.5 + number, 4, 2], [9, 8.25, 1], [0, 0, 0]]
    return {
        **dict(id=number, image_id=7, category_id=1, bbox=[1, 2.5, 20, 15], keypoints=sum(joints, [])),
        **dict(num_keypoints=2, area=150.25, iscrowd=0, segmentation=[[1, 2, 3.5, 4, 5, 6]], note='é'),
        **changes,
    }


def content(*people: dict[str, Any], **changes: Any) -> Content:
    images = [dict(id=number, file_name=f'ü/{number}.jpg', width=40, height=30) for number in (9, 7, 4)]
    return dict(dict(images=images, annotations=list(people), categories=[dict(id=1, name='person')]), **changes)


def without(entry: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in keys}


def built(kind: type, file: Path, **options: Any) -> Any:
    options = dict(dict(data_prefix=dict(img='images'), pipeline=[], metainfo=META), **options)
    with contextlib.redirect_stdout(io.StringIO()):  # of xtcocotools, which prints
        return kind(ann_file=str(file), **options)


META = dict(
    dataset_name='three',
    keypoint_info={n: dict(name=f'j{n}', id=n, color=[0, 0, 0], type='', swap='') for n in range(3)},
    skeleton_info={},
    joint_weights=[1.0] * 3,
    sigmas=[0.1] * 3,
)


def assert_same(ours: Any, theirs: Any) -> None:
    """Length, metainfo, and each sample in keys, values, types, shapes and the types of arrays."""
    assert len(ours) == len(theirs) > 0
    assert ours.metainfo.get('CLASSES') == theirs.metainfo.get('CLASSES')
    for place in range(len(theirs)):
        mine, other = ours.get_data_info(place), theirs.get_data_info(place)
        assert mine.keys() == other.keys()
        for key, value in other.items():
            assert type(mine[key]) is type(value), key
            if isinstance(value, np.ndarray):
                assert (mine[key].dtype, mine[key].shape) == (value.dtype, value.shape), key
                assert np.array_equal(mine[key], value), key
            else:
                assert mine[key] == value, key


@pytest.mark.parametrize('test_mode', [False, True])
@pytest.mark.parametrize(
    'name, ours, theirs, folder',
    [
        ('coco/test_coco.json', ArrayCocoDataset, CocoDataset, 'coco'),
        ('crowdpose/test_crowdpose.json', ArrayCrowdPoseDataset, CrowdPoseDataset, 'crowdpose'),
    ],
)
def test_real_people(name: str, ours: type, theirs: type, folder: str, test_mode: bool) -> None:
    if not DATA.is_dir():
        pytest.skip('the photographs are not part of the project')
    options = dict(metainfo=None, test_mode=test_mode, data_prefix=dict(img=str(DATA / folder)))
    mine = built(ours, DATA / name, **options)
    assert isinstance(mine.data_list, ArraySamples)
    assert_same(mine, built(theirs, DATA / name, **options))


ODD: dict[str, Content] = {
    'several images': content(person(1), person(2, image_id=9), person(3), person(4, image_id=4)),
    'an unlisted image': content(person(1), person(2, image_id=5)),
    'nothing but what is needed': content(without(person(1), 'num_keypoints', 'area', 'iscrowd', 'segmentation')),
    'a small box without area': content(without(person(1, bbox=[3, 3, 1, 1]), 'area')),
    'who is left out': content(
        person(1),
        person(2, iscrowd=1),
        person(3, num_keypoints=0),
        person(4, bbox=[50, 2, 3, 4]),
        person(5, bbox=[1, 2, 0, 4]),
        person(6, bbox=[1, 2, 1e-9, 4]),
        person(7, keypoints=[-1, 0, 2] * 3),
        without(person(8), 'keypoints'),
        without(person(9), 'bbox'),
        person(10, keypoints=[], num_keypoints=0),
        without(person(11, keypoints=[0, 0, 2] * 3), 'num_keypoints'),
    ),
    'boxes across the border': content(person(1, bbox=[-3.7, -2, 60.1, 17.3]), person(2, bbox=[38.2, 28.9, 5, 5])),
    'exact numbers': content(person(1, keypoints=[0.1, 1 / 3, 2, 16777217, 2e-45, 1.5, 1e-50, 3, 0], area=0.1)),
    'no categories': without(content(person(1)), 'categories'),
    'crowd index': content(
        person(1), images=[dict(id=7, file_name='a.jpg', width=40, height=30, crowdIndex=0.25, extra=[1])]
    ),
    # MMPose's class reads what follows.
    'ids as fractions': content(person(1.0, image_id=7.0)),
    'a crowd as a truth value': content(person(1, iscrowd=False), person(2, iscrowd=True)),
    'joints as lists': content(person(1, keypoints=[[1, 2, 2], [3, 4, 2], [0, 0, 0]])),
    'a size as a fraction': content(person(1), images=[dict(id=7, file_name='a.jpg', width=40.5, height=30)]),
    'an id twice': content(person(1), person(1, area=3)),
    'an image twice': content(person(1), images=content()['images'] * 2),
}


@pytest.mark.parametrize('name', ODD)
def test_odd_files(name: str, tmp_path: Path) -> None:
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(ODD[name], ensure_ascii=name == 'several images', indent=1))
    ours, theirs = built(ArrayCocoDataset, file), built(CocoDataset, file)
    assert_same(ours, theirs)
    read_by_mmpose = list(ODD).index(name) >= list(ODD).index('ids as fractions')
    assert isinstance(ours.data_list, ArraySamples) != read_by_mmpose


FILE = content(*(person(number, image_id=(9, 7, 4)[number % 3], bbox=[number, 1, 9, 8]) for number in range(1, 12)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Eleven people on three images."""
    (tmp_path / 'a.json').write_text(json.dumps(FILE))
    return tmp_path / 'a.json'


@pytest.mark.parametrize(
    'options',
    [
        dict(indices=4),
        dict(indices=-3),
        dict(indices=[5, 0, 5]),
        dict(sample_interval=2),
        dict(serialize_data=False),
        dict(filter_cfg=dict(bbox_score_thr=0.5)),
        dict(test_mode=True),
        dict(data_mode='bottomup'),
        dict(data_mode='bottomup', test_mode=True),
    ],
)
def test_options_of_mmpose(file: Path, options: dict[str, Any]) -> None:
    assert_same(built(ArrayCocoDataset, file, **options), built(CocoDataset, file, **options))


def test_animals_of_several_kinds(tmp_path: Path) -> None:
    kinds = [dict(id=number, name=f'kind {number}', supercategory='animal') for number in range(1, 55)]
    animals = [person(number, category_id=1 + 7 * number % 54, image_id=(9, 7, 4)[number % 3]) for number in range(9)]
    (tmp_path / 'a.json').write_text(json.dumps(content(*animals, categories=kinds)))
    for test_mode in (False, True):
        ours, theirs = (
            built(kind, tmp_path / 'a.json', test_mode=test_mode) for kind in (ArrayAP10KDataset, AP10KDataset)
        )
        assert isinstance(ours.data_list, ArraySamples)
        assert_same(ours, theirs)
    metainfo = [built(kind, tmp_path / 'a.json', metainfo=None).metainfo for kind in (ArrayAP10KDataset, AP10KDataset)]
    assert metainfo[0].keys() == metainfo[1].keys() and metainfo[0]['dataset_name'] == 'ap10k'


PARTS = dict(foot=6, face=68, lefthand=21, righthand=21)
WHOLE: dict[str, Any] = dict(metainfo=dict(from_file='configs/_base_/datasets/coco_wholebody.py'))


def whole(rng: np.random.Generator, number: int) -> dict[str, Any]:
    """A person of COCO-WholeBody: some are left out, some parts are not valid, some numbers are integers."""
    size = rng.integers(1, 25, 2).tolist()
    box = [*rng.integers(-5, 45, 2).tolist(), *(size if rng.random() < 0.8 else [0, 4])]
    entry = person(number, image_id=(9, 7, 4)[number % 3], bbox=box, iscrowd=int(rng.random() < 0.1))
    entry['num_keypoints'] = int(rng.integers(0, 4))
    if rng.random() < 0.3:
        del entry['area']
    for part, count in dict(body=17, **PARTS).items():
        valid = bool(rng.random() < 0.6)
        joints = rng.uniform(-3, 40, (count, 3)) if valid else np.zeros((count, 3))
        joints[:, 2] = rng.integers(0, 3, count) if rng.random() < 0.7 else rng.random(count).round(3)
        digits = int(rng.integers(0, 20))
        values = joints.round(digits).ravel().tolist() if digits else [int(each) for each in joints.ravel()]
        part_box = box if valid else [0.0] * 4
        entry |= {f'{part}_kpts': values, f'{part}_valid': valid, f'{part}_box': part_box, f'{part}_score': 0.5}
    entry['keypoints'] = entry.pop('body_kpts')
    if rng.random() < 0.15:  # nobody by MMPose: nothing above 0
        entry |= {key: [-1.0, 0.0, 2.0] * (len(entry[key]) // 3) for key in ('keypoints', 'foot_kpts')}
        entry |= {f'{part}_kpts': [0] * 3 * count for part, count in PARTS.items() if part != 'foot'}
    if rng.random() < 0.1:
        entry |= {f'{part}_kpts': [0.0] * 3 * count for part, count in PARTS.items()}
    return entry


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('options', [dict(), dict(test_mode=True), dict(sample_interval=2), dict(indices=5)])
def test_whole_bodies(tmp_path: Path, seed: int, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(seed)
    people = [whole(rng, number) for number in range(1, 60)]
    people[3] = {**people[3], 'image_id': 5}  # that the file does not list
    if seed == 1:
        for entry in people:
            entry |= {
                key: [int(each) for each in entry[key]] for key in entry if key == 'keypoints' or key.endswith('kpts')
            }
    extra: dict[str, Any] = (
        dict(images=[dict(image, crowdIndex=0.5) for image in content()['images']]) if seed == 2 else {}
    )
    (tmp_path / 'a.json').write_text(json.dumps(content(*people, **extra)))
    ours, theirs = (
        built(kind, tmp_path / 'a.json', **WHOLE, **options)
        for kind in (ArrayCocoWholeBodyDataset, CocoWholeBodyDataset)
    )
    assert isinstance(ours.data_list, WholeBodySamples)
    assert_same(ours, theirs)
    joints = np.concatenate([theirs[place]['keypoints'] for place in range(len(theirs))])
    weights = np.concatenate([theirs[place]['keypoints_visible'] for place in range(len(theirs))])
    np.testing.assert_array_equal(ours.data_list.joints(), np.concatenate([joints, weights[..., None]], axis=2))
    assert joints.dtype == (np.int64 if seed == 1 else np.float64) and 0 < len(theirs) < len(people)


@pytest.mark.parametrize('lacking', ['bbox', 'num_keypoints', 'face_kpts', 'keypoints'])
def test_mmpose_reads_whole_bodies_that_lack_a_field(tmp_path: Path, lacking: str) -> None:
    rng = np.random.default_rng(0)
    people = [whole(rng, number) for number in range(1, 20)]
    (tmp_path / 'a.json').write_text(json.dumps(content(*people[1:], without(people[0], lacking))))
    with pytest.raises(KeyError, match=lacking):
        built(ArrayCocoWholeBodyDataset, tmp_path / 'a.json', **WHOLE)
    people[0]['lefthand_kpts'] = [1, 2, 2] * 20  # which is one joint less
    (tmp_path / 'a.json').write_text(json.dumps(content(*people)))
    ours, theirs = (
        built(kind, tmp_path / 'a.json', **WHOLE) for kind in (ArrayCocoWholeBodyDataset, CocoWholeBodyDataset)
    )
    assert not isinstance(ours.data_list, ArraySamples)
    assert_same(ours, theirs)


def test_detected_people(file: Path) -> None:
    boxes = [dict(image_id=7, category_id=kind, bbox=[1, 2, 3, 4.5], score=0.1 * kind) for kind in (1, 2, 1)]
    file.with_name('boxes.json').write_text(json.dumps(boxes))
    options: dict[str, Any] = dict(bbox_file=str(file.with_name('boxes.json')), test_mode=True)
    assert_same(built(ArrayCocoDataset, file, **options), built(CocoDataset, file, **options))


def test_subsets_and_a_start_when_it_is_first_used(file: Path) -> None:
    for kind in (int, list):
        ours, theirs = (built(each, file, lazy_init=True) for each in (ArrayCocoDataset, CocoDataset))
        with contextlib.redirect_stdout(io.StringIO()):
            assert_same(ours.get_subset(3 if kind is int else [2, 7]), theirs.get_subset(3 if kind is int else [2, 7]))
            ours.get_subset_(-2 if kind is int else [1, 4])
            theirs.get_subset_(-2 if kind is int else [1, 4])
        assert isinstance(ours.data_list, ArraySamples)
        assert ours[1]['sample_idx'] == theirs[1]['sample_idx'] == 1
        assert_same(ours, theirs)


@pytest.mark.parametrize('options', [{}, dict(filter_cfg=dict(bbox_score_thr=0.5))])
def test_a_sample_is_its_readers_own(file: Path, options: dict[str, Any]) -> None:
    dataset = built(ArrayCocoDataset, file, **options)
    for value in dataset[0].values():
        if isinstance(value, np.ndarray):
            value += 1
    assert_same(dataset, built(CocoDataset, file))


def test_workers_get_no_copy(file: Path) -> None:
    dataset = built(ArrayCocoDataset, file)
    loader = DataLoader(dataset, num_workers=2, multiprocessing_context='spawn', collate_fn=list)
    theirs = built(CocoDataset, file)
    for place, (sample,) in enumerate(loader):
        assert sample['id'] == theirs[place]['id'] and np.array_equal(sample['keypoints'], theirs[place]['keypoints'])
        assert sample['raw_ann_info'] == theirs[place]['raw_ann_info']
    assert place == 10


class Own(ArrayCocoDataset):
    """A class of a user's own, on arrays by inheritance."""

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        info = super().parse_data_info(raw_data_info)
        return info and dict(info, own=1)


def test_a_class_that_reads_otherwise_does_so(file: Path) -> None:
    dataset = built(Own, file)
    assert len(dataset) == 11 and dataset[3]['own'] == 1


def test_images_of_samples_and_their_sizes(file: Path) -> None:
    samples = built(ArrayCocoDataset, file).data_list
    assert samples.image_paths() == [sample['img_path'] for sample in samples]
    assert samples.said_sizes(5) == {f'images/ü/{number}.jpg': (40, 30) for number in (9, 7, 4)}
    assert samples[:2].said_sizes(5) == {'images/ü/9.jpg': (40, 30)} == samples.said_sizes(1)
