"""tools/train.py and tools/test.py, run as a user runs them."""

import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

_DETECTIONS = 'data/coco/person_detection_results/COCO_val2017_detections_AP_H_56_person.json'
_VAL = 'data/coco/annotations/person_keypoints_val2017.json'


def _weights(path: Path) -> dict:
    return torch.load(path, weights_only=False)['state_dict']


def _differences(a: Path, b: Path) -> float:
    """The largest absolute difference between two checkpoints' weights."""
    first, second = _weights(a), _weights(b)
    assert first.keys() == second.keys()
    return max((first[key].double() - second[key].double()).abs().max().item() for key in first)


def test_training_lowers_the_loss_and_names_its_boxes(trained: SimpleNamespace) -> None:
    losses = [float(value) for value in re.findall(r'Epoch\(train\).*? loss: ([\d.]+)', trained.log)]
    assert len(losses) == 120
    assert sum(losses[-9:]) < 0.6 * sum(losses[:9])
    assert f'person boxes: 9 detections from {_DETECTIONS}' in trained.log
    assert re.search(r'coco/AP: \d\.\d+', trained.log)
    assert {file.name for file in trained.run.glob('epoch_*.pth')} == {'epoch_20.pth', 'epoch_40.pth'}


def test_training_says_nothing_confusing(trained: SimpleNamespace) -> None:
    lines = [line for line in trained.log.splitlines() if 'Build settings' not in line]
    assert not [line for line in lines if re.search('warning|deprecat|Traceback', line, re.IGNORECASE)]


@pytest.mark.parametrize('workers', [2, 0])
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    trained: SimpleNamespace, tmp_path: Path, run_tool: Callable, workers: int
) -> None:
    # With other workers than the uninterrupted run, to show that their number plays no part.
    shutil.copy(trained.run / 'epoch_20.pth', tmp_path)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_20.pth'))
    resume = ['--resume'] if workers else ['--resume', tmp_path / 'epoch_20.pth']
    # The seed is taken from the checkpoint, not from the config.
    options = [
        'randomness.seed=None',
        f'train_dataloader.num_workers={workers}',
        f'train_dataloader.persistent_workers={bool(workers)}',
    ]
    done = run_tool(
        'tools/train.py',
        'tiny.py',
        '--work-dir',
        tmp_path,
        *resume,
        '--no-validate',
        '--cfg-options',
        *options,
        cwd=trained.folder,
        check=True,
    )
    assert 'resumed epoch: 20, iter: 60' in done.stdout + done.stderr
    assert 'share of the loss, steps 61 to 110: loss_kpt_cycle1 ' in done.stdout + done.stderr
    assert _differences(trained.run / 'epoch_20.pth', trained.run / 'epoch_40.pth') > 1e-3
    assert _differences(tmp_path / 'epoch_40.pth', trained.run / 'epoch_40.pth') < 1e-6


def test_result_file_scores_the_printed_ap_in_pycocotools(
    trained: SimpleNamespace, tmp_path: Path, run_tool: Callable
) -> None:
    out = tmp_path / 'made/results.json'
    done = run_tool(
        'tools/test.py',
        'tiny.py',
        'run/epoch_40.pth',
        '--work-dir',
        tmp_path / 'w',
        '--out',
        out,
        '--dump',
        tmp_path / 'raw.pkl',
        cwd=trained.folder,
        check=True,
    )
    log = done.stdout + done.stderr
    assert f'person boxes: 9 detections from {_DETECTIONS}' in log
    record = json.loads(next((tmp_path / 'w').glob('*/metrics.json')).read_text())
    assert record['boxes'] == f'person boxes: 9 detections from {_DETECTIONS}'
    truth = COCO(str(trained.folder / _VAL))
    evaluation = COCOeval(truth, truth.loadRes(str(out)), 'keypoints')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    names = ['AP', 'AP .5', 'AP .75', None, None, 'AR', 'AR .5', 'AR .75']
    for name, value in zip(names, evaluation.stats):
        assert name is None or record['metrics'][f'coco/{name}'] == pytest.approx(value, abs=1e-9)
    assert record['metrics']['coco/AP'] > 0
    assert f'coco/AP: {record["metrics"]["coco/AP"]:.6f}' in log
    assert list(out.parent.iterdir()) == [out]
    assert len(pickle.loads((tmp_path / 'raw.pkl').read_bytes())) == 9


def test_ground_truth_boxes_and_pictures(trained: SimpleNamespace, tmp_path: Path, run_tool: Callable) -> None:
    done = run_tool(
        'tools/test.py',
        'tiny.py',
        'run/epoch_40.pth',
        '--work-dir',
        tmp_path,
        '--gt-bbox',
        '--show-dir',
        'pictures',
        cwd=trained.folder,
        check=True,
    )
    assert f'person boxes: 8 ground-truth boxes from {_VAL}' in done.stdout + done.stderr
    record = json.loads(next(tmp_path.glob('*/metrics.json')).read_text())
    assert record['boxes'].startswith('person boxes: 8 ground-truth')
    assert len(list(tmp_path.glob('*/pictures/*.jpg'))) >= 4


def test_a_nan_loss_stops_before_anything_is_saved(workspace: Path, run_tool: Callable) -> None:
    done = run_tool(
        'tools/train.py',
        'tiny.py',
        '--work-dir',
        'run',
        '--no-validate',
        '--cfg-options',
        'optim_wrapper.optimizer.lr=1e30',
        'train_cfg.max_epochs=1',
        'param_scheduler=[]',
        cwd=workspace,
    )
    assert done.returncode == 2
    assert 'Traceback' not in done.stderr
    assert re.search(
        r'error: training stopped: loss_kpt_cycle1 = (nan|inf).* at step 2 \(epoch 1, batch 2\)', done.stderr
    ), done.stderr[-500:]
    assert not list((workspace / 'run').glob('*.pth'))


def test_amp_without_a_gpu_is_float32_and_says_so(workspace: Path, run_tool: Callable) -> None:
    done = run_tool(
        'tools/train.py',
        'tiny.py',
        '--work-dir',
        'run',
        '--amp',
        '--auto-scale-lr',
        '--gt-bbox',
        '--cfg-options',
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
        'auto_scale_lr.base_batch_size=8',
        cwd=workspace,
        check=True,
    )
    log = done.stdout + done.stderr
    assert '--amp: no GPU is seen, training in float32' in log
    assert 'Scaling the original LR by 0.5' in log
    assert 'person boxes: 8 ground-truth boxes' in log
    assert (workspace / 'run/epoch_1.pth').is_file()
