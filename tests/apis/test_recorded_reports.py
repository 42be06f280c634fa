"""The pages on MPII's evaluation and on classifications, from what a test records."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from sdpose.apis.report.classes import write_class_report
from sdpose.apis.report.pckh import write_pckh_report
from sdpose.apis.report.speed import say_speed
from sdpose.evaluation.analysis.pckh import head_distances, mean_pckh

MPII = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/mpii.py'))


def read(folder: Path) -> tuple[dict, str]:
    return json.loads((folder / 'report.json').read_text()), (folder / 'index.html').read_text()


def test_the_page_on_mpii(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    files = [str(tmp_path / f'{number}.jpg') for number in range(6)]
    for file in files[1:]:  # the first is missing
        cv2.imwrite(file, np.full((400, 400, 3), 90, np.uint8))
    true = rng.uniform(50, 350, (30, 1, 16, 2))
    joints = true - 1 + rng.normal(0, 12, true.shape)
    joints[3, 0, [10, 15]] = true[3, 0, [15, 10]] - 1
    joints[0] += 200  # the worst, on the image that is missing
    visible, head = rng.random((30, 1, 16)) < 0.9, rng.uniform(20, 80, (30, 1))
    visible[:, 0, 2] = False
    np.savez(tmp_path / 'samples.npz', image=np.array(files * 5), joints=joints, true=true, visible=visible, head=head)
    page, remarks = write_pckh_report(tmp_path / 'samples.npz', tmp_path / 'out', 'tiny', MPII)
    report, text = read(tmp_path / 'out')
    distances = head_distances(joints[:, 0], true[:, 0], visible[:, 0], head[:, 0])
    assert report['pckh']['0.5'] == report['curves']['mean'][-1] == mean_pckh(distances, 0.5)
    assert report['interval'][0] < report['pckh']['0.5'] < report['interval'][1]
    assert report['joints'][2]['pckh']['0.5'] is None and report['joints'][2]['people'] == 0
    assert report['joints'][10]['inverted'] > 0 and sum(report['distances']) == visible.sum()
    assert [sum(row['people'] for row in rows) for rows in report['groups'].values()] == [30, 30]
    assert page == tmp_path / 'out/index.html' and f'<b>{100 * report["pckh"]["0.5"]:.1f}</b>' in text
    assert re.findall(r'<h3>(Best|Typical|Worst|Inversion)</h3>', text) == ['Best', 'Typical', 'Worst', 'Inversion']
    assert f'{files[0]} cannot be read' in remarks[0] and 'alt="0.jpg' not in text


def test_the_page_on_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    file = str(tmp_path / 'a.png')
    cv2.imwrite(file, np.full((30, 40, 3), 90, np.uint8))
    labels = np.repeat(np.arange(6), 10)
    scores = rng.dirichlet(np.ones(6), 60)
    scores[:10] = np.eye(6)[1] * 0.95 + 0.05 / 6  # class 0 is always taken for class 1, and surely
    np.savez(tmp_path / 'samples.npz', image=np.array([file] * 60), scores=scores, label=labels)
    write_class_report(
        tmp_path / 'samples.npz',
        tmp_path / 'out',
        'deit-tiny_8xb128-300e_imagenet-224x224',
        dict(classes=tuple('abcdef')),
    )
    report, text = read(tmp_path / 'out')
    right = scores.argmax(axis=1) == labels
    assert report['top']['1'] == pytest.approx(right.mean()) and list(report['top']) == ['1', '2', '3', '5']
    assert report['interval'][0] < right.mean() < report['interval'][1]
    assert report['worst'][0] == dict(name='a', images=10, top1=0, taken_for='b', share=1)
    assert report['pairs'][0] == dict(name='a', taken_for='b', images=10)
    wrong = [(own, other) for own, other in zip(labels, scores.argmax(axis=1)) if own != other]
    counts = sorted((wrong.count(pair) for pair in set(wrong)), reverse=True)
    assert [row['images'] for row in report['pairs']] == counts[:20]
    assert report['paper'] == {'top-1': 72.2} and '<b>72.2</b><span>top-1 of the paper' in text
    assert text.count('<figcaption>a, taken for b (0.96)') == 10 and text.count('<img') == 12


@pytest.mark.parametrize('kind', ['pckh', 'classes'])
def test_the_pages_refer_to_nothing_outside(tmp_path: Path, kind: str) -> None:
    if kind == 'pckh':
        test_the_page_on_mpii(tmp_path)
    else:
        test_the_page_on_classes(tmp_path)
    assert not re.findall(r'<script|<link|@import|url\(|https?://', read(tmp_path / 'out')[1])


def test_the_speed_in_words() -> None:
    speed = dict(samples=40, seconds=2.0, waiting=0.5, batch=16, device='a CPU, 1 thread(s)')
    assert say_speed(speed) == (
        '20.0 samples a second on a CPU, 1 thread(s): 50.0 ms each in batches of 16, flip test and decoding included, '
        'of which 12.5 waiting for data'
    )
    assert say_speed({}) == ''
