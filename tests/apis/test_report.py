"""A report is made from files of any framework; what does not fit is one line, and the page says what is wrong."""

import contextlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from report_people import MIRRORED, NAMES, SIGMAS, crowded_people, person, predict, write_annotations
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from sdpose.apis.report import make_report
from sdpose.apis.report.inputs import paper_metrics
from sdpose.errors import UserError


def write(file: Path, content: Any) -> Path:
    file.write_text(json.dumps(content))
    return file


@pytest.fixture
def people() -> list:
    return [person(1 + number // 2, (20.0 + 500 * (number % 2), 30.0)) for number in range(24)]


def report_on(folder: Path, people: list, results: list, **options: Any) -> tuple[dict, str, list[str]]:
    """The numbers, the page and the remarks."""
    annotations, file = write_annotations(folder / 'a.json', people), write(folder / 'r.json', results)
    page, remarks = make_report(file, annotations, folder / 'out', **options)
    assert page == folder / 'out/index.html'
    return json.loads((folder / 'out/report.json').read_text()), page.read_text(), remarks


def test_the_ten_numbers_are_xtcocotools(tmp_path: Path) -> None:
    people, results = crowded_people(np.random.default_rng(2), 40)
    report, page, remarks = report_on(tmp_path, people, results)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(tmp_path / 'a.json'))
        judge = COCOeval(truth, truth.loadRes(str(tmp_path / 'r.json')), 'keypoints', SIGMAS)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    run = report['run']
    assert list(run['numbers'].values()) == [float(value) for value in judge.stats] and len(judge.stats) == 10
    assert run['errors']['ap'] == run['numbers']['AP'] == pytest.approx(np.mean(run['curves']['ap']), abs=1e-12)
    low, high = run['intervals']['AP']
    assert low < run['numbers']['AP'] < high
    assert [joint['name'] for joint in run['joints']] == NAMES
    assert sum(run['errors']['counts'][kind] for kind in ('good', 'jitter', 'inversion', 'swap', 'miss')) == sum(
        run['distances']['counts']
    )
    assert f'<b>{100 * run["numbers"]["AP"]:.1f}</b>' in page
    assert remarks == run['remarks'] == [f'{40 - run["data"]["images_with_results"]} of 40 images have no result.']


def test_a_page_refers_to_nothing_outside(tmp_path: Path, people: list) -> None:
    _, page, _ = report_on(tmp_path, people, predict(people))
    assert not re.findall(r'<script|<link|@import|url\(|https?://', page)
    assert re.findall(r'(?:src|href)="(?!data:image|#)', page) == []


def test_two_runs_are_compared(tmp_path: Path, people: list) -> None:
    def worse(number: int, joints: np.ndarray) -> None:
        joints[:, 0] += 12 if number % 3 else 0

    other = write(tmp_path / 'other.json', predict(people, worse))
    report, page, _ = report_on(tmp_path, people, predict(people), other=other)
    found = report['comparison']
    assert found['difference']['AP'] == pytest.approx(1 - report['other']['numbers']['AP'])
    assert found['people']['better'] == 16 and found['people']['worse'] == 0 and found['better_share'] == 1
    assert found['intervals']['AP'][0] > 0 and 'This run is better' in page
    assert sum(row['people'] for row in found['groups']['size']) == 24
    same, page, _ = report_on(tmp_path, people, predict(people), other=write(tmp_path / 'same.json', predict(people)))
    assert same['comparison']['intervals']['AP'] == [0, 0] and 'do not tell the runs apart' in page


def test_pictures_of_what_went_wrong(tmp_path: Path, people: list) -> None:
    def invert(number: int, joints: np.ndarray) -> None:
        joints[:, :2] = joints[MIRRORED, :2] if number in (3, 5) else joints[:, :2]

    images = tmp_path / 'images'
    images.mkdir()
    for number in (1, 2, *range(4, 13)):  # the third, of person 5, is missing
        cv2.imwrite(str(images / f'{number:012d}.jpg'), np.full((800, 1000, 3), 90, np.uint8))
    _, page, remarks = report_on(tmp_path, people, predict(people, invert)[1:], images=images)
    titles = re.findall(r'<h3>([\w :]+)</h3>\n<div class="pictures">', page)
    assert titles == ['Best', 'Typical', 'Worst', 'Inversion', 'Missed: nobody is predicted']
    shown = re.findall(r'src="data:image/jpeg;base64,[^"]+" alt="(\d+).jpg: (\w+)"', page)
    assert ('000000000002', 'annotated') in shown and ('000000000002', 'predicted') in shown
    assert '000000000003' not in {name for name, _ in shown} and '000000000003.jpg cannot be read' in remarks[-1]


def test_results_that_are_about_nobody(tmp_path: Path, people: list) -> None:
    images = tmp_path / 'images'
    images.mkdir()
    for number in range(1, 13):
        cv2.imwrite(str(images / f'{number:012d}.jpg'), np.full((800, 1000, 3), 90, np.uint8))

    def away(number: int, joints: np.ndarray) -> None:
        joints[:, :2] += 3000

    report, page, remarks = report_on(tmp_path, people, predict(people, away), images=images)
    run = report['run']
    assert set(run['numbers'].values()) == {0, -1} and run['errors']['paired'] == sum(run['distances']['counts']) == 0
    assert run['errors']['counts']['background'] == run['errors']['counts']['missed'] == 24
    assert run['calibration']['joints']['counts'] == [] and any('exactly 0' in remark for remark in remarks)
    titles = re.findall(r'<h3>([\w :]+)</h3>\n<div class="pictures">', page)
    assert titles == ['Background: nobody is there', 'Missed: nobody is predicted']


@pytest.mark.parametrize(
    'change, said',
    [
        (lambda number, joints: joints.__setitem__(slice(None), joints[MIRRORED]), 'left and right are exchanged'),
        (
            lambda number, joints: joints.__setitem__(slice(None), np.roll(joints, 1, axis=0)),
            'their joints are in another order. What stands in the place of left_eye as nose, of right_eye as left_eye',
        ),
        (
            lambda number, joints: joints.__setitem__((slice(None), slice(2)), joints[:, :2] / (1000, 800)),
            'joints are given as fractions of width and height',
        ),
        (
            lambda number, joints: joints.__setitem__((slice(None), slice(2)), joints[:, 1::-1]),
            'x and y of the joints are exchanged',
        ),
    ],
)
def test_an_ap_of_0_is_explained(tmp_path: Path, people: list, change: Callable, said: str) -> None:
    report, page, remarks = report_on(tmp_path, people, predict(people, change))
    assert report['run']['numbers']['AP'] < 0.05
    assert remarks[0].startswith('The results do not fit the annotations: ') and said in remarks[0]
    assert 'the AP is 100.0 instead of' in remarks[0] and remarks[0].split(':')[0] in page


def test_an_ap_of_minus_1_is_explained(tmp_path: Path, people: list) -> None:
    report, page, remarks = report_on(tmp_path, people, predict(people))
    assert report['run']['numbers']['AP (M)'] == -1 and 'AP (M), AR (M) are -1' in remarks[0]
    assert 'medium area' in page
    unscored = predict(people, lambda _, joints: joints.__setitem__((slice(None), 2), 0))
    assert '24 of 24 results have no joint with a score above 0' in report_on(tmp_path, people, unscored)[2][-1]


def test_crowdpose_has_its_own_numbers(tmp_path: Path) -> None:
    people = [person(1 + number, (20.0, 30.0)) for number in range(12)]
    for each in people:
        each['keypoints'] = each['keypoints'][: 3 * 14]
        del each['area']
    file = write_annotations(tmp_path / 'a.json', people, crowdIndex=0.5)
    content = json.loads(file.read_text())
    content['categories'] = [dict(id=1, name='person')]
    write(file, content)
    results = [dict(each, keypoints=each['keypoints'], score=0.9, category_id=1) for each in people]
    page, remarks = make_report(write(tmp_path / 'r.json', results), file, tmp_path / 'out')
    run = json.loads((tmp_path / 'out/report.json').read_text())['run']
    assert run['data']['protocol'] == 'CrowdPose' and run['numbers']['AP(M)'] == run['numbers']['AP'] == 1
    assert [joint['name'] for joint in run['joints']][:2] == ['left_shoulder', 'right_shoulder']
    assert 'AP(E), AP(H) are -1' in remarks[0]


def test_published_numbers_stand_beside(tmp_path: Path, people: list) -> None:
    config = 'sdpose-s-v1_stemnet_8xb64-300e_coco-256x192'
    assert paper_metrics(config) == dict(AP=72.3, AR=77.7) and paper_metrics('tiny') == {}
    report, page, _ = report_on(tmp_path, people, predict(people), config=config)
    assert report['paper'] == dict(AP=72.3, AR=77.7) and '<b>72.3</b><span>AP of the paper' in page


def damage(results: list, place: int, **fields: Any) -> list:
    results[place].update(fields)
    return results


@pytest.mark.parametrize(
    'fields, message',
    [
        (dict(image_id=77), 'image_id is none of .*a.json: 77'),
        (dict(image_id='1'), "image_id is none of .*: '1'"),
        (dict(category_id=3), 'category_id is not 1, person: 3'),
        (dict(keypoints=[1.0, 2.0, 0.5] * 14), 'keypoints are not 51 numbers .*: 42 numbers'),
        (dict(keypoints=[float('nan')] * 51), 'a key point is no finite number: nan'),
        (dict(score=float('nan')), 'score is no finite number: nan'),
        (dict(score=None), 'score is no finite number: None'),
        (dict(bbox=[1, 2, 3]), 'bbox is not 4 finite numbers'),
    ],
)
def test_a_wrong_result_is_one_line(tmp_path: Path, people: list, fields: dict, message: str) -> None:
    with pytest.raises(UserError, match=rf'r.json: result 5 \(counted from 0\): {message}') as caught:
        report_on(tmp_path, people, damage(predict(people), 5, **fields))
    assert '\n' not in str(caught.value) and list((tmp_path / 'out').iterdir()) == []


def test_missing_scores_and_other_files(tmp_path: Path, people: list) -> None:
    results = predict(people)
    del results[2]['score']
    with pytest.raises(UserError, match='result 2 .*lacks score'):
        report_on(tmp_path, people, results)
    with pytest.raises(UserError, match='must be a JSON list of results'):
        report_on(tmp_path, people, dict(results=results))  # type: ignore[arg-type]
    with pytest.raises(UserError, match='the folder of images .*nowhere does not exist'):
        report_on(tmp_path, people, predict(people), images=tmp_path / 'nowhere')
    with pytest.raises(UserError, match='result file .*none.json does not exist'):
        report_on(tmp_path, people, predict(people), other=tmp_path / 'none.json')
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='--out .*file/x: the folder .* cannot be written'):
        make_report(tmp_path / 'r.json', tmp_path / 'a.json', tmp_path / 'file/x')


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda content: content.update(annotations=[]), 'has nobody to evaluate with'),
        (lambda content: content['annotations'][3].update(keypoints=[1, 2, 2] * 14), 'id 4 has 42 key point numbers'),
        (lambda content: content['annotations'][3].pop('area'), 'id 4 .*has no area'),
        (
            lambda content: content['categories'][0].update(keypoints=NAMES[::-1]),
            'not those of CocoDataset: .*--config',
        ),
        (lambda content: content['categories'][0].update(keypoints=NAMES[:9]), 'has people of 9 joints: .*--config'),
        (
            lambda content: (
                content['categories'].append(dict(id=2, name='dog')),
                content['annotations'][5].update(category_id=2),
            ),
            'people with key points in the categories 1, 2',
        ),
    ],
)
def test_annotations_that_do_not_fit_are_one_line(tmp_path: Path, people: list, change: Callable, message: str) -> None:
    file = write_annotations(tmp_path / 'a.json', people)
    content = json.loads(file.read_text())
    change(content)
    with pytest.raises(UserError, match=message) as caught:
        make_report(write(tmp_path / 'r.json', predict(people)), write(file, content), tmp_path / 'out')
    assert '\n' not in str(caught.value)


def test_a_config_of_other_joints(tmp_path: Path, people: list) -> None:
    config = 'sdpose-s-v1_stemnet_8xb64-300e_crowdpose-256x192'
    with pytest.raises(UserError, match='has people of 17 joints, but the metainfo of the data set has 14 joints'):
        report_on(tmp_path, people, predict(people), config=config)
