"""MPII from drawing to evaluation, run as a user runs it, at the smallest scale."""

import json
import re

import pytest

_QUICK = 'configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-mpii-64x64.py'
_TEST_SPLIT = """
_base_ = '{root}/{config}'
test_dataloader = dict(dataset=_base_.test_split)
test_evaluator = dict(format_only=True)
"""


@pytest.fixture(scope='module')
def drawn(tmp_path_factory, run_tool):
    folder = tmp_path_factory.mktemp('mpii')
    run_tool(
        'tools/dataset_tools/make_synthetic.py',
        '--style',
        'mpii',
        '--num-train',
        24,
        '--num-val',
        8,
        '--size',
        '160x120',
        '--workers',
        2,
        cwd=folder,
        check=True,
    )
    return folder / 'data/synthetic_mpii'


@pytest.mark.long
def test_train_and_test_the_validation_split_and_predict_the_test_split(drawn, run_tool, repo_root, tmp_path):
    data = ['--cfg-options', f'data_root={drawn}/', 'val_dataloader.num_workers=0', 'test_dataloader.num_workers=0']
    done = run_tool(
        'tools/train.py',
        _QUICK,
        '--work-dir',
        tmp_path / 'w',
        *data,
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
        'default_hooks.checkpoint.interval=1',
        check=True,
    )
    log = done.stdout + done.stderr
    assert 'mpii/PCK@0.1: ' in log and list((tmp_path / 'w').glob('best_mpii_PCK_epoch_1.pth'))
    assert 'Warning' not in log

    people = json.loads((drawn / 'annotations/mpii_val.json').read_text())
    out = tmp_path / 'results.json'
    run_tool(
        'tools/test.py',
        _QUICK,
        tmp_path / 'w/epoch_1.pth',
        '--work-dir',
        tmp_path / 't',
        '--out',
        out,
        '--gt-bbox',
        '--report',
        tmp_path / 'page',
        *data,
        check=True,
    )
    record = json.loads(next((tmp_path / 't').glob('*/metrics.json')).read_text())
    assert {'mpii/PCK', 'mpii/PCK@0.1', 'mpii/Head PCK'} <= record['metrics'].keys()
    report = json.loads((tmp_path / 'page/report.json').read_text())
    for at, name in (('0.5', 'mpii/PCK'), ('0.1', 'mpii/PCK@0.1')):
        assert 100 * report['pckh'][at] == pytest.approx(record['metrics'][name], abs=1e-3)
    assert 'Worst' in (tmp_path / 'page/index.html').read_text()
    assert record['boxes'] == f'person boxes: {len(people)} ground-truth boxes from {drawn}/annotations/mpii_val.json'
    results = json.loads(out.read_text())
    assert [result['person'] for result in results] == list(range(len(people)))

    config = tmp_path / 'test_split.py'
    config.write_text(_TEST_SPLIT.format(root=repo_root, config=_QUICK))
    done = run_tool(
        'tools/test.py', config, tmp_path / 'w/epoch_1.pth', '--work-dir', tmp_path / 'p', *data, check=True
    )
    out, log = tmp_path / 'p/mpii_test_test_split_results.json', done.stdout + done.stderr
    begin = log.index(f'predictions are written to {out}, no metric is computed')
    assert begin < log.index('test data: ') and 'PCK:' not in log
    # The same people, whose labels were not read.
    assert json.loads(out.read_text()) == results


@pytest.mark.long
def test_dppt_starts_as_its_teacher(drawn, run_tool, tmp_path):
    teacher, student = (
        f'configs/quick_start/{name}-tiny_stemnet_1xb32-10e_synthetic-mpii-64x64.py' for name in ('tokenpose', 'dppt')
    )
    options = [
        '--cfg-options',
        f'data_root={drawn}/',
        'train_cfg.val_interval=99',
        'train_dataloader.num_workers=0',
        'default_hooks.checkpoint.interval=1',
        'default_hooks.logger.interval=1',
        'param_scheduler=[]',
        'optim_wrapper.optimizer.lr=2e-4',
    ]
    run_tool(
        'tools/train.py',
        teacher,
        '--work-dir',
        tmp_path / 't',
        '--no-validate',
        *options,
        'train_cfg.max_epochs=3',
        check=True,
    )
    weights = tmp_path / 't/epoch_3.pth'
    first = []
    for start in ([], [f'load_from={weights}']):
        done = run_tool(
            'tools/train.py',
            student,
            '--work-dir',
            tmp_path / f's{len(start)}',
            '--no-validate',
            *options,
            'train_cfg.max_epochs=1',
            f'model.distiller.checkpoint={weights}',
            *start,
            check=True,
        )
        first.append(
            {
                name: float(value)
                for name, value in re.findall(
                    r'(loss_\w+): ([\d.e-]+)', re.search(r'Epoch\(train\) +\[1\]\[1/.*', done.stdout + done.stderr)[0]
                )
            }
        )
    stranger, same = first
    for name in ('loss_logit', 'loss_attention', 'loss_token'):
        assert 0 < same[name] < stranger[name] / 5, name


def test_head_boxes_of_other_people_are_one_line(drawn, run_tool, tmp_path):
    done = run_tool(
        'tools/train.py',
        _QUICK,
        '--work-dir',
        tmp_path,
        '--cfg-options',
        f'data_root={drawn}/',
        'val_dataloader.dataset.ann_file=annotations/mpii_train.json',
    )
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    assert 'head boxes, but' in done.stderr and 'they belong to different splits' in done.stderr
