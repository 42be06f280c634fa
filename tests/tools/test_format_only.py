"""Results without scores: COCO test-dev, whose people nobody has annotated here, and --format-only elsewhere."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from pycocotools.coco import COCO

from sdpose.apis import testing
from sdpose.errors import ConfigError, DataError

_TEST_DEV = 'data/coco/annotations/image_info_test-dev2017.json'
_BOXES = 'data/coco/person_detection_results/COCO_test-dev2017_detections_AP_H_609_person.json'


@pytest.fixture
def here(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace, as the current folder, with a test-dev split: images, their list, detections on three of four."""
    coco = workspace / 'data/coco'
    shutil.copytree(coco / 'val2017', coco / 'test2017')
    val = json.loads((coco / 'annotations/person_keypoints_val2017.json').read_text())
    (workspace / _TEST_DEV).write_text(json.dumps(dict(info={}, images=val['images'], categories=val['categories'])))
    (workspace / _BOXES).write_text(
        json.dumps(
            [
                dict(image_id=ann['image_id'], category_id=1, score=0.8, bbox=ann['bbox'])
                for ann in val['annotations']
                if ann['image_id'] != val['images'][0]['id']
            ]
        )
    )
    monkeypatch.chdir(workspace)
    return workspace


@pytest.mark.long
def test_test_dev_is_predicted_checked_and_packed(here: Path, trained: SimpleNamespace, run_tool: Callable) -> None:
    done = run_tool(
        'tools/test.py', 'tiny.py', trained.run / 'epoch_40.pth', '--test-dev', '--work-dir', 'w', cwd=here, check=True
    )
    log, results = done.stdout + done.stderr, 'w/person_keypoints_test-dev2017_tiny_results.json'
    assert f'person boxes: 6 detections from {_BOXES}' in log
    assert f'{results} checked: 6 results for 4 images, sound; ' in log and '1 of 4 images have no result' in log
    assert f'results: {results}' in log
    assert 'coco/AP:' not in log and not list(here.glob('w/**/metrics.json'))
    assert len(COCO(str(here / _TEST_DEV)).loadRes(str(here / results)).anns) == 6

    validator = 'tools/analysis_tools/validate_results.py'
    done = run_tool(validator, results, _TEST_DEV, '--submit-as', 'Tiny', cwd=here, check=True)
    archive = 'w/person_keypoints_test-dev2017_Tiny_results.zip'
    assert done.stdout.splitlines()[-2:] == ['sound', f'for the server: {archive}']
    done = run_tool(validator, archive, 'data/coco/annotations/person_keypoints_val2017.json', cwd=here)
    assert done.returncode == 2 and 'FAULT: ' in done.stdout and 'sound' not in done.stdout
    assert done.stderr.splitlines()[-1] == f'error: {archive} is not fit for the evaluation: 1 kind(s) of fault'


def test_format_only_on_val_writes_what_a_scored_test_writes(here: Path, trained: SimpleNamespace) -> None:
    checkpoint = str(trained.run / 'epoch_40.pth')
    assert testing.test('tiny.py', checkpoint, format_only=True, out='only.json', work_dir='a') == {}
    assert not list(here.glob('a/**/metrics.json'))
    assert 'coco/AP' in testing.test('tiny.py', checkpoint, out='scored.json', work_dir='b')
    assert json.loads((here / 'only.json').read_text()) == json.loads((here / 'scored.json').read_text())


def test_a_config_may_say_so_itself(here: Path, trained: SimpleNamespace, repo_root: Path) -> None:
    (here / 'own.py').write_text(
        f"_base_ = ['tiny.py', '{repo_root}/configs/_base_/datasets/coco_test-dev.py']\n"
        'test_dataloader = dict(dataset=_base_.test_dev)\n'
        'test_evaluator = dict(format_only=True)\n'
    )
    testing.test('own.py', str(trained.run / 'epoch_40.pth'), work_dir='w')
    assert (here / 'w/person_keypoints_test-dev2017_own_results.json').is_file()


def test_unfit_results_fail_the_run_and_stay(here: Path, trained: SimpleNamespace) -> None:
    """A box that a detector lists twice, kept by a metric without suppression."""
    boxes = json.loads((here / _BOXES).read_text())
    (here / _BOXES).write_text(json.dumps([*boxes, boxes[-1]]))
    path = 'w/person_keypoints_test-dev2017_tiny_results.json'
    with pytest.raises(DataError, match=f'{path} is not fit for an evaluation: 1 of 7 results: the same person'):
        testing.test(
            'tiny.py',
            str(trained.run / 'epoch_40.pth'),
            test_dev=True,
            work_dir='w',
            cfg_options={'test_evaluator.nms_mode': 'none'},
        )
    assert (here / path).is_file()


def test_refusals(here: Path, trained: SimpleNamespace) -> None:
    checkpoint = str(trained.run / 'epoch_40.pth')
    with pytest.raises(ConfigError, match='--test-dev has no annotated boxes: leave out --gt-bbox'):
        testing.test('tiny.py', checkpoint, test_dev=True, gt_bbox=True)
    (here / 'crowd.py').write_text(
        "_base_ = 'tiny.py'\ntest_dataloader = dict(dataset=dict(type='CrowdPoseDataset'))\n"
    )
    with pytest.raises(ConfigError, match='its 17 joints, but the test data of crowd.py has others'):
        testing.test('crowd.py', checkpoint, test_dev=True)
    (here / 'classes.py').write_text(
        "_base_ = 'tiny.py'\ntest_dataloader = dict(dataset=dict(_delete_=True, "
        "type='ClassFolderDataset', data_root='x', pipeline=[]))\n"
    )
    with pytest.raises(ConfigError, match='the data set ClassFolderDataset has no key points'):
        testing.test('classes.py', checkpoint, test_dev=True)
    (here / 'pck.py').write_text("_base_ = 'tiny.py'\ntest_evaluator = dict(_delete_=True, type='PCKAccuracy')\n")
    with pytest.raises(ConfigError, match='needs a CocoMetric or MpiiMetric in test_evaluator of pck.py'):
        testing.test('pck.py', checkpoint, format_only=True)
    with pytest.raises(DataError, match='elsewhere/annotations/image_info_test-dev2017.json is missing'):
        testing.test('tiny.py', checkpoint, test_dev=True, cfg_options=dict(data_root='elsewhere'))
    (here / 'hinted.py').write_text('_base_ = "tiny.py"\ndata_hint = "Draw them"')
    with pytest.raises(DataError, match='image_info_test-dev2017.json is missing') as caught:
        testing.test('hinted.py', checkpoint, test_dev=True, cfg_options=dict(data_root='elsewhere'))
    assert 'Draw them' not in str(caught.value)
    with pytest.raises(DataError, match=f'{_TEST_DEV} has no annotations to train on .* --format-only writes'):
        testing.test(
            'tiny.py',
            checkpoint,
            cfg_options={'test_dataloader.dataset.ann_file': 'annotations/image_info_test-dev2017.json'},
        )
