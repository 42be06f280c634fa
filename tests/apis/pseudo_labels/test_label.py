"""Pseudo-labels by hand: flags, splits, files, what is refused, and that nothing half-written stays."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmpose.datasets import CocoDataset

from sdpose.apis.pseudo_labels import TaughtPerson, label, label_by_name
from sdpose.errors import DataError, UserError
from sdpose.io.pictures import read_picture

JOINTS = ('left_hip', 'right_hip', 'nose')


class Teacher:
    """Sees a person in each box: nose in its middle, hips below; the right one hidden, a foot outside."""

    names = ('nose', 'left_hip', 'right_hip', 'left_heel')

    def __call__(self, image: np.ndarray, boxes: np.ndarray) -> list[TaughtPerson]:
        people = []
        for left, top, right, bottom in boxes.tolist():
            x, y = (left + right) / 2, (top + bottom) / 2
            places = np.array([[x, y], [x + 5, bottom - 1], [x - 5, bottom - 1], [x, 1000]])
            people.append(TaughtPerson(places, np.array([0.9, 0.8, 0.2, 0.9]), np.array([0.9, 0.9, 0.7, 0.9]), 0.75))
        return people


def _find(image: np.ndarray) -> list[list[float]]:
    """A person who is sure, one who is not; nobody on black pictures."""
    return [[10, 10, 30, 50, 0.9], [40, 10, 60, 50, 0.2]] if image.any() else []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pictures; on the third is nobody."""
    (tmp_path / 'photos').mkdir()
    for number in range(6):
        picture = np.full((60, 80, 3), 0 if number == 2 else 20 * number + 20, np.uint8)
        cv2.imwrite(str(tmp_path / f'photos/{number}.png'), picture)
    return tmp_path / 'photos'


def _label(folder: Any, out: Path, **options: Any) -> Any:
    return label(folder, out, Teacher(), _find, JOINTS, dict(teacher='test'), **options)  # type: ignore[arg-type]


def test_files_by_hand(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    done = _label(str(folder), out)
    assert {split: (part.people, [name for name, *_ in part.pictures]) for split, part in done.items()} == {
        'train': (4, ['0.png', '1.png', '3.png', '4.png']),
        'val': (1, ['5.png']),
    }
    assert sorted(path.name for path in out.iterdir()) == ['annotations', 'contact_sheet.png', 'train', 'val']
    assert (out / 'val/5.png').read_bytes() == (folder / '5.png').read_bytes()
    content = json.loads((out / 'annotations/val.json').read_text())
    assert content['info']['pseudo_labels'] == dict(teacher='test', source=str(folder), every=1, least=0.5)
    assert content['images'] == [dict(id=1, file_name='5.png', width=80, height=60, frame=5)]
    (person,) = content['annotations']
    assert person['keypoints'] == [25, 49, 2, 15, 49, 1, 20, 30, 2]
    assert person['keypoint_scores'] == [0.8, 0.2, 0.9] and person['score'] == 0.75
    assert person['bbox'] == [13.1, 28.1, 13.8, 22.8]  # 10 x 19 pixels with 1.9 around them
    assert content['categories'][0]['skeleton'] == [[1, 2]]


def test_the_files_are_a_data_set(folder: Path, tmp_path: Path) -> None:
    _label(str(folder), tmp_path / 'out', box_score=0.1)
    metainfo = dict(
        dataset_name='three',
        keypoint_info={number: dict(name=name, swap='') for number, name in enumerate(JOINTS)},
        skeleton_info={},
        joint_weights=[1.0] * 3,
        sigmas=[0.1] * 3,
    )
    dataset = CocoDataset(
        ann_file=str(tmp_path / 'out/annotations/train.json'),
        data_prefix=dict(img=str(tmp_path / 'out/train')),
        metainfo=metainfo,
    )
    assert len(dataset) == 8
    assert dataset[7]['keypoints'].tolist() == [[[55, 49], [45, 49], [50, 30]]]
    assert read_picture(dataset[7]['img_path']).max() == 100


def test_a_video_and_every_second_frame(tmp_path: Path) -> None:
    video = cv2.VideoWriter(str(tmp_path / 'street.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 5, (80, 64))
    for number in range(7):
        video.write(np.full((64, 80, 3), 30 * number + 20, np.uint8))
    video.release()
    done = _label(str(tmp_path / 'street.avi'), tmp_path / 'out', every=2, val_share=0.5)
    assert [name for name, *_ in done['train'].pictures] == ['street_000000.jpg', 'street_000002.jpg']
    assert abs(int(read_picture(tmp_path / 'out/val/street_000006.jpg').mean()) - 200) <= 2


def test_pictures_of_one_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / 'more').mkdir()
    (tmp_path / 'more/0.png').write_bytes((folder / '5.png').read_bytes())
    _label([str(folder / '0.png'), str(tmp_path / 'more/0.png')], tmp_path / 'out', val_share=0)
    assert sorted(path.name for path in (tmp_path / 'out/train').iterdir()) == ['0.png', '000001_0.png']
    assert not (tmp_path / 'out/val').exists()


@pytest.mark.parametrize(
    'options, said',
    [
        (dict(every=0), '--every 0: give a whole number from 1'),
        (dict(val_share=1.0), '--val-share 1.0: give 0 or more, below 1'),
        (dict(box_score=float('nan')), '--box-score nan: give 0 to 1'),
        (dict(every=6), 'has people on 1 picture alone: --val-share 0 holds none out'),
        (
            dict(box_score=0.95),
            r'nobody was found in .*photos \(6 pictures, and 0 that could not be read\): --tiles 2 or more',
        ),
        (dict(least=0.8), 'nobody was found'),
    ],
)
def test_refused(folder: Path, tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises((UserError, DataError), match=said):
        _label(str(folder), tmp_path / 'out', **options)
    assert not (tmp_path / 'out').exists() and [each.name for each in tmp_path.iterdir()] == ['photos']


def test_what_stays_out(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Joints that the teacher lacks, a folder that is not empty, an unknown teacher."""
    with pytest.raises(UserError, match='the teacher has no landmark neck: give --joints of nose, left_hip'):
        label(str(folder), tmp_path / 'out', Teacher(), _find, ('neck', 'nose'), {})  # type: ignore[arg-type]
    with pytest.raises(UserError, match='photos is there and not empty: name a new folder'):
        _label(str(folder), folder)
    assert [each.name for each in tmp_path.iterdir()] == ['photos']
    with pytest.raises(UserError, match="no teacher is called 'openpose': name mediapipe"):
        label_by_name(str(folder), str(tmp_path / 'out'), teacher='openpose')
    with pytest.raises(UserError, match='--tiles 0: give at least 1'):
        label_by_name(str(folder), str(tmp_path / 'out'), tiles=0)


@pytest.mark.parametrize(
    'options, said',
    [
        (dict(every=0), '--every 0: give a whole number'),
        (dict(val_share=1), '--val-share 1: give 0 or more, below 1'),
        (dict(joints='nose,tail'), 'no landmark tail'),
        (dict(joints='nosuchfile.txt'), '--joints nosuchfile.txt: there is no such file'),
    ],
)
def test_options_are_looked_at_before_the_teacher_is_loaded(
    folder: Path, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        label_by_name(str(folder), str(tmp_path / 'out'), teacher='mediapipe=no.whl', **options)
    with pytest.raises(UserError, match='photos is there and not empty'):
        label_by_name(str(folder), str(folder), teacher='mediapipe=no.whl')


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is told the log."""
    texts: list[str] = []
    for module in ('pseudo_labels.label', 'inference.sources'):
        monkeypatch.setattr(sys.modules[f'sdpose.apis.{module}'], 'print_log', lambda text, *_: texts.append(text))
    return texts


def test_bad_pictures_are_passed_over(folder: Path, tmp_path: Path, said: list[str]) -> None:
    for name in ('0.png', '4.png'):
        (folder / name).write_bytes(b'no picture')
    done = _label(str(folder), tmp_path / 'out')
    assert [name for part in done.values() for name, *_ in part.pictures] == ['1.png', '3.png', '5.png']
    for text, name in zip(said, ('0.png', '4.png')):
        assert text.startswith(f'{folder}/{name} cannot be read') and text.endswith(': it is passed over')
    assert said[2:] == ['2 of 6 pictures could not be read']
    for number in range(6):
        (folder / f'{number}.png').write_bytes(b'no picture')
    with pytest.raises(DataError, match=r'nobody was found in .*\(0 pictures, and 6 that could not be read\)'):
        _label(str(folder), tmp_path / 'none')


def test_bad_frames_are_passed_over(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / 'street.avi'
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 5, (80, 64))
    for number in range(12):
        video.write(np.full((64, 80, 3), 10 * number + 20, np.uint8))
    video.release()
    _label(str(path), tmp_path / 'sound')
    assert not said
    chunks = path.read_bytes().split(b'00dc')
    for number in (5, 8, 9):  # counted from 1; frames without a picture
        chunks[number] = chunks[number][:4] + bytes(len(chunks[number]) - 4)
    path.write_bytes(b'00dc'.join(chunks))
    done = _label(str(path), tmp_path / 'out')
    names = [name for part in done.values() for name, *_ in part.pictures]
    assert len(names) == 9 and names[-1] == 'street_000011.jpg'
    assert abs(int(read_picture(tmp_path / 'out/val/street_000011.jpg').mean()) - 128) <= 2
    for text in said[:3]:
        assert re.fullmatch(rf'a frame of {path}, near number [2-8], cannot be read: it is passed over', text)
    assert said[3:] == ['3 of 12 pictures could not be read']
    path.write_bytes(path.read_bytes()[:6600])
    _label(str(path), tmp_path / 'short')
    assert re.search('street.avi says that it has 12 frames, of which [34] could be read', said[-1])


def test_names_of_other_spelling(folder: Path, tmp_path: Path) -> None:
    label(str(folder), tmp_path / 'out', Teacher(), _find, ('lHip', 'Nose'), {}, val_share=0)  # type: ignore[arg-type]
    content = json.loads((tmp_path / 'out/annotations/train.json').read_text())
    assert content['annotations'][0]['keypoints'] == [25, 49, 2, 20, 30, 2]
