"""Known data: what is counted in files and folders, what is refused, and what is drawn."""

import hashlib
import json

import pytest

from sdpose.apis.tables.data import draw, examine
from sdpose.apis.tables.known_data import compare
from sdpose.apis.tables.plan import DataSet
from sdpose.errors import DataError

PERSON = dict(category_id=1, keypoints=[5, 5, 2] + [0] * 48)
KNOWN = {
    'train2017': dict(images=2),
    'annotations/people.json': dict(listed_images=3, people=2, labelled_people=1),
    'boxes.json': dict(person_boxes=2),
}


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'train2017/deep').mkdir(parents=True)
    for name in ('1.jpg', 'deep/2.JPEG', 'notes.txt'):
        (tmp_path / 'train2017' / name).touch()
    (tmp_path / 'annotations').mkdir()
    people = [PERSON, dict(category_id=1, keypoints=[0] * 51), dict(category_id=2, keypoints=[1] * 51)]
    (tmp_path / 'annotations/people.json').write_text(json.dumps(dict(images=[{}, {}, {}], annotations=people)))
    (tmp_path / 'boxes.json').write_text(json.dumps([dict(category_id=number) for number in (1, 1, 18)]))
    return tmp_path


def test_what_is_counted(root):
    found, differences = compare(str(root), KNOWN)
    content = (root / 'boxes.json').read_bytes()
    assert differences == []
    assert found['train2017'] == dict(images=2, classes=1)
    assert found['boxes.json'] == dict(bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), person_boxes=2)
    assert found['annotations/people.json']['labelled_people'] == 1


@pytest.mark.parametrize(
    'name, wanted, difference',
    [
        ('train2017', dict(images=118287), 'has 2 images, not 118,287'),
        ('train2017', dict(classes=1000, images=2), 'has 1 folders of classes, not 1,000'),
        ('annotations/people.json', dict(people=262465), 'has 2 annotated people, not 262,465'),
        ('annotations/people.json', dict(labelled_people=2), 'has 1 people with labelled key points, not 2'),
        ('annotations/people.json', dict(person_boxes=2), 'has 0 person boxes, not 2'),
        ('boxes.json', dict(bytes=7), 'bytes, not 7'),
        ('boxes.json', dict(sha256='0a'), 'as SHA-256, not 0a'),
    ],
)
def test_what_differs(root, name, wanted, difference):
    differences = compare(str(root), {name: wanted})[1]
    assert len(differences) == 1 and differences[0].startswith(str(root / name)) and difference in differences[0]


@pytest.mark.parametrize('text', ['{', '[1]', '{"annotations": 3}', '\x00'])
def test_a_damaged_file_differs(root, text):
    (root / 'boxes.json').write_text(text)
    assert 'has 0 person boxes, not 2' in compare(str(root), KNOWN)[1][0]


def test_other_data_are_refused_unless_they_are_wanted(root):
    said = []
    data = DataSet('data/coco/', known={'boxes.json': dict(person_boxes=104125)})
    with pytest.raises(DataError, match='boxes.json has 2 person boxes, not 104,125 .--any-data takes them'):
        examine(data, str(root), False, said.append)
    assert said == []
    facts = examine(data, str(root), True, said.append)
    assert facts['differs'] == [f'{root / "boxes.json"} has 2 person boxes, not 104,125'] and len(said) == 1
    assert facts['files']['boxes.json']['person_boxes'] == 2
    with pytest.raises(DataError, match='lacks val2017, a.json; --data-root names another folder'):
        examine(DataSet('x', known={'val2017': {}, 'boxes.json': {}, 'a.json': {}}), str(root), True, said.append)


def test_drawn_data(tmp_path):
    said = []
    shapes = dict(num_train=1, num_val=1, seed=0, size='16x16')
    data = DataSet('x', shapes=shapes)
    for _ in range(2):
        draw(data, str(tmp_path / 'shapes'), said.append)
    assert [line.rpartition(': ')[2] for line in said] == ['drawn', 'already there']
    assert examine(data, str(tmp_path), False, said.append) == dict(drawn=shapes, differs=[])
    assert examine(data, str(tmp_path), True, said.append) == dict(differs=['taken as they are'])
    with pytest.raises(DataError, match='--data-root names another folder, --any-data takes this one .* num_val is 1'):
        draw(DataSet('x', shapes=dict(shapes, num_val=2)), str(tmp_path / 'shapes'), said.append)
