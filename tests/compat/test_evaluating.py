"""COCO's evaluation reads what MMPose's data sets read: files with a byte order mark, boxes beside people."""

import contextlib
import io
import json
from pathlib import Path

import pytest
from mmengine.fileio import load
from mmpose.evaluation.metrics import CocoMetric
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

import sdpose  # noqa: F401


def _ann(number: int, **more: object) -> dict:
    return dict(id=number, image_id=1, category_id=1, iscrowd=0, bbox=[0, 0, 20, 20], **more)


def _content(*annotations: dict) -> dict:
    image = dict(id=1, file_name='1.jpg', width=40, height=30)
    return dict(images=[image], annotations=list(annotations), categories=[dict(id=1, name='person')])


def test_a_byte_order_mark_is_skipped_by_every_reader(tmp_path: Path) -> None:
    file = tmp_path / 'a.json'
    file.write_bytes(json.dumps(_content(_ann(1, keypoints=[5, 5, 2] * 17, area=9))).encode('utf-8-sig'))
    assert load(str(file)).keys() == {'images', 'annotations', 'categories'}
    with contextlib.redirect_stdout(io.StringIO()):
        assert len(COCO(str(file)).anns) == 1
        assert len(CocoMetric(ann_file=str(file)).coco.anns) == 1
    file.write_bytes(b'\xef\xbb\xbf{')
    with pytest.raises(ValueError):
        load(str(file))


@pytest.mark.parametrize('category', [1, 2])
def test_an_annotation_without_key_points_is_ignored(tmp_path: Path, category: int) -> None:
    person = _ann(1, keypoints=[5, 5, 2] * 17, num_keypoints=17, area=200)
    bare = dict(_ann(2), category_id=category)
    content = _content(person, bare)
    content['categories'].append(dict(id=2, name='ball'))
    (tmp_path / 'a.json').write_text(json.dumps(content))
    result = dict(image_id=1, category_id=1, keypoints=[5, 5, 1] * 17, score=0.9)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(tmp_path / 'a.json'))
        evaluation = COCOeval(truth, truth.loadRes([result]), 'keypoints')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)
