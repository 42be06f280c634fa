"""The rules about a whole file say the same of a file's arrays and of its objects, whatever is odd or at fault."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdpose.errors import DataError
from sdpose.io.annotation_store import open_store
from sdpose.preflight import coco
from sdpose.preflight.entries import Entries, entries_of_content, entries_of_store

JOINTS, IMAGES, PEOPLE = 3, 5, 14
Entry = dict[str, Any]


def _put(**values: Any) -> Callable[[Entry], Any]:
    return lambda entry: entry.update(json.loads(json.dumps(values)))


def _drop(key: str) -> Callable[[Entry], Any]:
    return lambda entry: entry.pop(key, None)


# What arrays hold: remarks, and what ends a run by a rule about the whole file.
ODD: dict[str, Callable[[Entry], Any]] = {
    'nothing': lambda ann: None,
    'a box outside': _put(bbox=[900, 2, 10, 10]),
    'a box above': _put(bbox=[1, -20, 10, 20]),
    'a box without width': _put(bbox=[1, 2, 0, 10]),
    'a box of negative height': _put(bbox=[900, 2, 3, -1]),
    'a box at the border': _put(bbox=[38.5, 28.5, 10, 10]),
    'num_keypoints 0': _put(num_keypoints=0),
    'no num_keypoints': _drop('num_keypoints'),
    'no keypoints': _drop('keypoints'),
    'no keypoints of a ball': lambda ann: (ann.pop('keypoints', None), ann.update(category_id=5)),
    'keypoints empty': _put(keypoints=[], num_keypoints=0),
    'a flag of 3': _put(keypoints=[3, 3, 3, 4, 4, 2.5, 5, 5, 0]),
    'joints above and left': _put(keypoints=[-1, 0, 2, -2, -3, 1, 0, 0, 0]),
    'no joint labelled': _put(keypoints=[3, 4, 0, 1, 2, 0, 0, 0, -1]),
    'a crowd': _put(iscrowd=1),
    'area 0': _put(area=0),
    'area 0.5': _put(area=0.5),
    'area 0.5 of a small box': _put(area=0.5, bbox=[1, 2, 9, 9]),
    'a large area': _put(area=1e5),
    'another category': _put(category_id=7),
    'far, but not too far': _put(bbox=[1, 2, 1e26, 3], area=1e27),
}
FAULTS: dict[str, Callable[[Entry], Any]] = {
    'no bbox': _drop('bbox'),
    'no area': _drop('area'),
    'area below 0': _put(area=-2),
    'area 1e40': _put(area=1e40),
    'a negative id': lambda ann: ann.update(id=-ann['id']),
    'an image that is not listed': _put(image_id=99),
    'a joint at 1e31': _put(keypoints=[1, 1e31, 2] * 3),
    'a box at 1e31': _put(bbox=[1e31, 2, 3, 4]),
    'num_keypoints -1': _put(num_keypoints=-1),
}
# What arrays do not hold.
TYPES: dict[str, Callable[[Entry], Any]] = {
    'a joint too few': _put(keypoints=[1, 2, 2] * 2),
    'iscrowd null': _put(iscrowd=None),
    'iscrowd true': _put(iscrowd=True),
    'iscrowd a text': _put(iscrowd='0'),
    'num_keypoints null': _put(num_keypoints=None),
    'num_keypoints 2.5': _put(num_keypoints=2.5),
    'area null': _put(area=None),
    'area NaN': _put(area=float('nan')),
    'a joint null': _put(keypoints=[None, 2, 2] * 3),
    'a list for each joint': _put(keypoints=[[1, 2, 2]] * 3),
    'keypoints null': _put(keypoints=None),
    'an id of 70 bits': lambda ann: ann.update(id=ann['id'] + 2**70),
    'an id twice': _put(id=1),
    'a category as text': _put(category_id='1'),
    'a category as list': lambda ann: (ann.pop('keypoints', None), ann.update(category_id=[1])),
}
OF_IMAGES: dict[str, Callable[[Entry], Any]] = {
    'a picture twice': _put(file_name='2.jpg'),
    'a picture that is not there': _put(file_name='gone.jpg'),
    'a smaller picture': _put(width=12, height=9),
    'no size': _drop('width'),
    'no name': _drop('file_name'),
    'half a pixel': _put(width=40.5),
    'an id twice': _put(id=1),
    'crowdIndex as text': _put(crowdIndex='1'),
    'crowdIndex -1': _put(crowdIndex=-1),
    'no crowdIndex': _drop('crowdIndex'),
}
OF_FILES: dict[str, Callable[[Entry], Any]] = {
    'no categories': _drop('categories'),
    'categories null': _put(categories=None),
    'categories without id': _put(categories=[dict(name='person')]),
    'no annotations': _put(annotations=[]),
    'another category in the list': _put(categories=[dict(id=7, name='ball')]),
    'joints in another order': _put(categories=[dict(id=1, name='person', keypoints=['c', 'b', 'a'])]),
}


def _person(rng: np.random.Generator, number: int) -> Entry:
    joints = [1.5 + number, 3, 2, 9, 8.25, 1, 0, 0, 0]
    box = [*rng.integers(0, 20, 2).tolist(), *rng.uniform(11, 30, 2).round(2).tolist()]
    return dict(
        **dict(id=number, image_id=int(rng.integers(1, IMAGES)), category_id=1, bbox=box, keypoints=joints),
        **dict(num_keypoints=2, area=150.25, iscrowd=0, segmentation=[[1, 2, 3.5, 4, 5, 6]]),
    )


def _file(rng: np.random.Generator) -> Entry:
    """A file with some odd entries, in every other one a fault or two, in every fourth one what arrays do not hold."""
    people = [_person(rng, number) for number in range(1, PEOPLE + 1)]
    images = [
        dict(id=number, file_name=f'{number}.jpg', width=40, height=30, crowdIndex=0.5) for number in range(1, IMAGES)
    ]
    content = dict(images=images, annotations=people, categories=[dict(id=1, name='person')])
    if rng.random() < 0.1:
        same = ODD[str(rng.choice(list(ODD)))]
        for ann in people:
            same(ann)
    for kinds, most in (
        (ODD, PEOPLE * (rng.random() < 0.9)),
        (FAULTS, 2 * (rng.random() < 0.5)),
        (TYPES, 2 * (rng.random() < 0.25)),
    ):
        for row in rng.permutation(PEOPLE)[: rng.integers(0, most + 1)].tolist():
            kinds[str(rng.choice(list(kinds)))](people[row])
    if rng.random() < 0.25:
        OF_IMAGES[str(rng.choice(list(OF_IMAGES)))](images[rng.integers(1, len(images))])
    if rng.random() < 0.1:
        OF_FILES[str(rng.choice(list(OF_FILES)))](content)
    return content


def _outcome(check: Callable[[], list[str]]) -> list[str]:
    try:
        return check()
    except DataError as error:
        return [f'refused: {error}']


def _checks(rng: np.random.Generator, folder: Path) -> tuple[Callable[[], list[str]], Callable[[], list[str]]]:
    """The checks of a data set of annotated and of detected people, with what else is read of the file."""
    reads: Any = dict(evaluated=bool(rng.random() < 0.7), use_area=bool(rng.random() < 0.7), joints=['a', 'b', 'c'])
    reads['crowd'] = reads['evaluated'] and bool(rng.random() < 0.6)
    annotated = bool(rng.random() < 0.8)
    count = None if rng.random() < 0.3 else JOINTS
    file, images = folder / 'a.json', folder / 'images'
    return (
        lambda: coco.check_people(file, images, JOINTS, **reads),
        lambda: coco.check_detections(folder / 'boxes.json', file, images, count, annotated=annotated, **reads),
    )


REMARKS = (
    'box of zero area',
    'have a box outside their image',
    'have no keypoints',
    'num_keypoints 0 although',
    'no joint with a coordinate above 0',
    'visibility is above 2',
    'have the file of another entry',
    'have the area 0',
    'an area below 1 in a larger box',
    'an area of more than 4 times their box',
    'a category that the file does not list',
)


@pytest.mark.parametrize('files', [400, pytest.param(5000, marks=pytest.mark.long)])
def test_arrays_and_objects_lead_to_the_same_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    (tmp_path / 'images').mkdir()
    for number in range(1, IMAGES):
        (tmp_path / f'images/{number}.jpg').touch()
    boxes = [dict(image_id=number, category_id=1, bbox=[3, 2, 9, number - 1], score=0.5) for number in range(1, IMAGES)]
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    by_objects: list[Any] = []
    original = coco.read_annotations
    monkeypatch.setattr(
        coco, 'read_annotations', lambda *given, **more: (by_objects.append(1), original(*given, **more))[1]
    )
    said: list[str] = []
    remarked: list[str] = []  # by arrays alone
    for seed in range(files):
        rng = np.random.default_rng(seed)
        (tmp_path / 'a.json').write_text(json.dumps(_file(rng)))
        for check in _checks(rng, tmp_path):
            by_objects.clear()
            found = _outcome(check)
            if not by_objects:
                remarked += found
            with monkeypatch.context() as context:
                context.setattr(coco, 'open_store', lambda file: None)
                assert found == _outcome(check), f'seed {seed}'
            said += found
    for remark in REMARKS:
        assert any(remark in each for each in remarked if not each.startswith('refused')), remark
    faults = ('has no bbox', 'has no area', 'area below 0', 'negative id', '99, which', '1e+31')
    for fault in (*faults, 'num_keypoints must be', 'no usable person', 'are missing', 'no key points', 'name '):
        assert any(fault in each for each in remarked if each.startswith('refused')), fault
    assert sum(each.startswith('refused') for each in said) < 0.8 * len(said)


def test_columns_of_arrays_are_those_of_objects(tmp_path: Path) -> None:
    file = tmp_path / 'a.json'
    compared = 0
    for seed in range(100):
        content = _file(np.random.default_rng(seed))
        file.write_text(json.dumps(content))
        store = open_store(file)
        if store is None or len({image['id'] for image in content['images']}) < len(content['images']):
            continue
        if not all('file_name' in image and 'width' in image for image in content['images']):
            continue
        compared += 1
        _assert_same(entries_of_store(store), entries_of_content(content))
    assert compared > 30


def _assert_same(ours: Entries, theirs: Entries) -> None:
    assert (ours.image_ids, ours.names, ours.head) == (theirs.image_ids, theirs.names, theirs.head)
    assert [ours.kinds[kind] for kind in ours.categories] == [theirs.kinds[kind] for kind in theirs.categories]
    columns = ('sizes', 'ids', 'images', 'people', 'listing', 'nested', 'counted', 'crowds', 'boxes', 'areas')
    for name in (*columns, 'used', 'labelled'):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    for one, other in ((ours.flags > 2, theirs.flags > 2), (ours.places > 0, theirs.places > 0)):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize('crowd', [False, True])
def test_what_arrays_show_to_be_sound_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crowd: bool
) -> None:
    rng = np.random.default_rng(0)
    people = [_person(rng, number) for number in range(1, 5)]
    people[2].update(bbox=[0, 0, 1e26, 3])  # doubtful, and right
    images = [dict(id=number, file_name='1.jpg', width=40, height=30, crowdIndex=0.5) for number in range(1, IMAGES)]
    (tmp_path / '1.jpg').touch()
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(dict(images=images, annotations=people, categories=[dict(id=1)])))
    read: list[int] = []
    original = Entries.at
    monkeypatch.setattr(Entries, 'at', lambda self, rows: (read.extend(rows), original(self, rows))[1])
    monkeypatch.setattr(coco, 'read_annotations', lambda *given, **more: pytest.fail('the file was read by objects'))
    remarks = coco.check_people(file, tmp_path, JOINTS, evaluated=True, crowd=crowd)
    assert len(remarks) == 1 and '3 images have the file of another entry (first: ids 1 and 2, 1.jpg)' in remarks[0]
    assert read == [2]
