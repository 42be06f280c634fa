"""Evaluation: an image's people together, each image decoded once, everybody seen once, the metric the same."""

import json
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pytest
from mmengine.dataset import BaseDataset, ConcatDataset
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from sdpose.datasets.samplers import GroupedByImageSampler
from sdpose.datasets.transforms import LoadCheckedImage

MODULE = 'mmengine.dataset.sampler.get_dist_info'


class Listed(BaseDataset):
    """Samples that have a path alone."""

    def load_data_list(self) -> list[dict]:
        return [dict(img_path=name) for name in self.ann_file]


def shares(dataset, world_size: int = 1) -> list[list[int]]:
    found = []
    for rank in range(world_size):
        with patch(MODULE, return_value=(rank, world_size)):
            sampler = GroupedByImageSampler(dataset)
        assert len(sampler) == len(list(sampler))
        found.append(list(sampler))
    return found


@pytest.mark.parametrize('serialize', [True, False])
def test_images_come_in_their_first_order_and_people_in_theirs(serialize: bool) -> None:
    assert shares(Listed('bbaacb', serialize_data=serialize)) == [[0, 1, 5, 2, 3, 4]]
    whole = ConcatDataset([Listed('ab', serialize_data=serialize), Listed('ba', serialize_data=serialize)])
    assert shares(whole) == [[0, 3, 1, 2]]
    assert shares(range(5), 2) == [[0, 1, 2], [3, 4]]  # a data set of another kind
    assert shares(range(0)) == [[]]


@pytest.mark.parametrize('world_size', [2, 3, 7])
def test_an_image_belongs_to_one_process_and_everybody_is_seen_once(world_size: int) -> None:
    names = [chr(97 + number) for number in np.random.default_rng(world_size).integers(0, 12, 200)]
    found = shares(Listed(''.join(names)), world_size)
    assert sorted(index for share in found for index in share) == list(range(200))
    images = [{names[index] for index in share} for share in found]
    assert sum(map(len, images)) == len(set(names))
    largest = max(names.count(name) for name in names)
    assert max(map(len, found)) <= 200 / world_size + largest


def test_it_neither_shuffles_nor_repeats() -> None:
    for wrong in (dict(shuffle=True), dict(round_up=True)):
        with pytest.raises(ValueError, match='take DefaultSampler'):
            GroupedByImageSampler(range(3), **wrong)


@pytest.fixture
def boxes(tmp_path: Path) -> dict:
    """Four pictures with eight detections each, in mixed order."""
    rng = np.random.default_rng(0)
    images, found = [], []
    for number in range(4):
        cv2.imwrite(str(tmp_path / f'{number}.jpg'), rng.integers(0, 255, (60, 80, 3), np.uint8))
        images.append(dict(id=number + 1, file_name=f'{number}.jpg', width=80, height=60))
        found += [
            dict(image_id=number + 1, category_id=1, bbox=rng.uniform(5, 30, 4).tolist(), score=0.5) for _ in range(8)
        ]
    rng.shuffle(found)
    (tmp_path / 'boxes.json').write_text(json.dumps(found))
    (tmp_path / 'images.json').write_text(json.dumps(dict(images=images, annotations=[], categories=[])))
    init_default_scope('mmpose')
    return dict(
        type='CocoDataset',
        ann_file=str(tmp_path / 'images.json'),
        bbox_file=str(tmp_path / 'boxes.json'),
        data_prefix=dict(img=str(tmp_path)),
        test_mode=True,
    )


def test_an_image_is_decoded_once_and_crops_are_those_of_mmpose(boxes: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    crop = [
        dict(type='GetBBoxCenterScale'),
        dict(type='TopdownAffine', input_size=(24, 32)),
        dict(type='PackPoseInputs'),
    ]
    plain = DATASETS.build({**boxes, 'pipeline': [dict(type='LoadImage'), *crop]})
    kept = DATASETS.build({**boxes, 'pipeline': [dict(type='LoadCheckedImage', keep_last=True), *crop]})
    decoded = []
    original = LoadCheckedImage._decode
    monkeypatch.setattr(LoadCheckedImage, '_decode', lambda self, info: decoded.append(info) or original(self, info))
    (order,) = shares(kept)
    for index in order:
        one, other = plain[index], kept[index]
        assert (one['inputs'] == other['inputs']).all()
        for key in ('ori_shape', 'img_shape', 'img_path', 'id', 'img_id'):
            assert getattr(one['data_samples'], key) == getattr(other['data_samples'], key)
    assert len(order) == 32 and len(decoded) == 4


def test_a_step_that_writes_into_the_picture_changes_its_own(tmp_path: Path) -> None:
    file = tmp_path / 'a.png'
    cv2.imwrite(str(file), np.full((4, 4, 3), 7, np.uint8))
    load = LoadCheckedImage(keep_last=True)
    for _ in range(3):
        picture = load.transform(dict(img_path=str(file), img_id=1))['img']
        assert (picture == 7).all()
        picture[:] = 0
    cv2.imwrite(str(file), np.full((4, 5, 3), 9, np.uint8))  # another picture by the same name
    found = load.transform(dict(img_path=str(file), img_id=1))
    assert (found['img'] == 9).all() and found['ori_shape'] == found['img_shape'] == (4, 5)
    assert load.__getstate__()['_last'] is None
