"""Predictions beside annotations: limbs come from the config, whatever the annotation file says of them."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from sdpose.apis.predicted_pictures import draw_predictions
from sdpose.errors import UserError

CONFIG = """
_base_ = '{root}/configs/_base_/default_runtime.py'
info = dict(
    dataset_name='stick',
    keypoint_info={{
        number: dict(name=name, id=number, color=[255, 0, 0], type='upper', swap='')
        for number, name in enumerate({names})
    }},
    skeleton_info={{0: dict(link=({names}[0], {names}[1]), id=0, color=[0, 255, 0])}},
    joint_weights=[1.0] * {count},
    sigmas=[0.05] * {count},
)
test_dataloader = dict(
    dataset=dict(
        type='{kind}', metainfo=info, data_root='data/', ann_file='truth.json', data_prefix=dict(img='images/'),
        bbox_file='no_detections.json', filter_cfg=dict(bbox_score_thr=0.5), pipeline=[dict(type='Gone')],
    )
)
"""
JOINTS = [(30, 20), (30, 80), (80, 50)]


def person(image: int, score: float = 0.9, move: float = 0) -> dict:
    return dict(
        image_id=image, category_id=1, score=score, keypoints=[n for x, y in JOINTS for n in (x + move, y, 0.8)]
    )


def write(name: str, content: object) -> None:
    Path(name).write_text(json.dumps(content))


@pytest.fixture
def folder(tmp_path: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config of three joints with one limb, two pictures of which one has an annotated person, and results."""
    monkeypatch.chdir(tmp_path)
    Path('data/images').mkdir(parents=True)
    for name in ('a.png', 'b.png'):
        cv2.imwrite(f'data/images/{name}', np.full((100, 120, 3), 90, np.uint8))
    Path('config.py').write_text(
        CONFIG.format(names=['top', 'mid', 'low'], count=3, kind='CocoDataset', root=repo_root)
    )
    write('data/truth.json', truth())
    write('results.json', [person(1), person(2)])
    return tmp_path


def truth(**changes: object) -> dict:
    """COCO's form; a category of None is left out."""
    content = dict(
        images=[dict(id=n, file_name=f'{name}.png', width=120, height=100) for n, name in ((1, 'a'), (2, 'b'))],
        annotations=[
            dict(
                id=1,
                image_id=1,
                category_id=1,
                iscrowd=0,
                bbox=[20, 10, 70, 80],
                area=5600,
                num_keypoints=3,
                keypoints=[number for x, y in JOINTS for number in (x, y, 2)],
            )
        ],
        categories=[dict(id=1, name='stick', keypoints=['top', 'mid', 'low'], skeleton=[[1, 2]])],
    )
    content.update(changes)
    return {key: value for key, value in content.items() if value is not None}


def draw(**options: object) -> np.ndarray:
    return cv2.imread(str(draw_predictions('config.py', 'results.json', 'new/page.png', **options)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    'categories',
    [
        [dict(id=1, name='stick', keypoints=['top', 'mid', 'low'], skeleton=[[0, 1]])],  # counted from 0
        [dict(id=1, name='stick', keypoints=['top', 'mid', 'low'], skeleton=[[16, 17]])],  # of other joints
        [dict(id=1, name='stick')],
        [dict(id=0, name='parent'), dict(id=1, name='stick', keypoints=['top', 'mid', 'low'], skeleton=[[1, 2]])],
        [],
        None,
    ],
)
def test_limbs_are_those_of_the_config(folder: Path, categories: object) -> None:
    expected = draw()
    write('data/truth.json', truth(categories=categories))
    np.testing.assert_array_equal(draw(), expected)
    assert not list(folder.glob('*.tmp'))


def test_annotated_people_stand_on_the_left_and_predicted_ones_on_the_right(folder: Path) -> None:
    page = draw(count=1)
    left, right = page[:, :806].astype(int), page[:, 806:].astype(int)
    for half in (left, right):  # the limb, in the metainfo's green
        assert (half == (0, 255, 0)).all(axis=2).sum() > 500
    # The second picture has no annotated person.
    write('results.json', [person(2)])
    page = draw()
    green = [(half == (0, 255, 0)).all(axis=2).sum() > 500 for half in (page[:, :806], page[:, 806:])]
    assert green == [False, True]


def test_people_and_pictures_with_a_small_score_are_left_out(folder: Path) -> None:
    write('results.json', [person(1, score=0.1), person(2, score=0.3)])
    assert draw().shape == draw(count=1).shape
    assert draw(least=0.05).shape != draw().shape


def test_other_files_are_taken_by_name(folder: Path) -> None:
    expected = draw()
    Path('data').rename('moved')
    found = draw(annotations='moved/truth.json', images='moved/images')
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(draw(cfg_options={'test_dataloader.dataset.data_root': 'moved/'}), expected)


def test_the_results_of_mpii_are_counted_from_one(folder: Path) -> None:
    expected = draw()
    mpii = [
        dict(person=n, image=f'{name}.png', keypoints=[[x + 1, y + 1] for x, y in JOINTS], scores=[0.8, 0.8, 0.8])
        for n, name in enumerate('ab')
    ]
    write('results.json', mpii)
    # The same but for the score, which is the mean of the joints'.
    write('other.json', [dict(person(1), score=0.8), dict(person(2), score=0.8)])
    found = draw()
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, cv2.imread(str(draw_predictions('config.py', 'other.json', 'other.png'))))


def spoil_results(content: object) -> Callable:
    return lambda: write('results.json', content)


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda: Path('results.json').write_text('[{'), 'results.json is not a file of key point results: it is not'),
        (lambda: Path('results.json').unlink(), 'results.json is not a file of key point results: there is no such'),
        (spoil_results([]), 'results.json has no person with a score of 0.2 or more on a picture of data/truth.json'),
        (spoil_results([person(7)]), 'has no person with a score'),
        (spoil_results({}), 'results.json must be a JSON list of results'),
        (spoil_results([person(1), 5]), r'results.json: result 1 \(counted from 0\) cannot be read: TypeError'),
        (spoil_results([dict(person(1), keypoints='x')]), r'result 0 \(counted from 0\) cannot be read: ValueError'),
        (spoil_results([dict(person(1), image_id=[1])]), 'cannot be read: TypeError: unhashable'),
        (spoil_results([dict(image_id=1, keypoints=[1, 2, 1])]), "cannot be read: KeyError: 'score'"),
        (
            spoil_results([dict(person(1), keypoints=[1, 2, 1] * 17)]),
            'has 17 joints, but the test data of config.py have 3',
        ),
        (lambda: Path('data/truth.json').unlink(), 'the annotation file data/truth.json is missing'),
        (
            lambda: Path('data/truth.json').write_text('{'),
            'data/truth.json cannot be read by CocoDataset: JSONDecodeError',
        ),
        (lambda: write('data/truth.json', [1]), 'data/truth.json cannot be read by CocoDataset: '),
        (lambda: write('data/truth.json', truth(images=5)), 'data/truth.json cannot be read by CocoDataset: TypeError'),
        (lambda: Path('data/images/b.png').write_bytes(b'x'), 'b.png cannot be read as a picture'),
        (
            lambda: Path('config.py').write_text('default_hooks = dict(checkpoint=None)'),
            'config.py must have one data set in test_dataloader, it has 0',
        ),
    ],
)
def test_broken_input_is_one_line_and_nothing_is_written(folder: Path, spoil: Callable, message: str) -> None:
    spoil()
    with pytest.raises(UserError, match=message) as error:
        draw()
    assert '\n' not in str(error.value) and not Path('new').exists()


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(count=0), '--count 0: give 1 to 200'),
        (dict(count=-3), '--count -3'),
        (dict(count=10**6), '--count 1000000'),
        (dict(least=float('nan')), '--least-score nan: give a number'),
    ],
)
def test_values_out_of_range(folder: Path, options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        draw(**options)
