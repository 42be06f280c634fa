"""A small table through the command line: trainings, evaluations, the report, a second start that repeats nothing."""

import importlib.util
import json
import sys
from pathlib import Path

import cv2
import pytest
import torch
import yaml

from sdpose.apis.tables import Means, collect, reproduce
from sdpose.io.lock import lock_work_dir

TOOL = 'tools/analysis_tools/run_table.py'
PLAN = dict(
    metric='coco/AP',
    tables=dict(
        small=dict(
            title='A small table',
            read='last',
            reference='one',
            rows=[
                dict(name='one', paper=69.5, overrides={'model.neck.num_cycles': 1, 'model.distiller': None}),
                dict(name='two', paper=72.3, depth='shallow'),
            ],
        ),
        other=dict(title='Another', read='first', reference='two', rows=[dict(name='two', depth='shallow')]),
    ),
    scales=dict(
        tiny=dict(
            config='tiny.py',
            layers=dict(deep=2, shallow=1),
            threads=1,
            overrides={
                'train_cfg.max_epochs': 1,
                'param_scheduler.1.end': 1,
                'test_dataloader.dataset.bbox_file': None,
            },
            data=dict(coco=dict(root='data/coco/')),
        )
    ),
)


@pytest.fixture
def tool(repo_root, monkeypatch, capsys):
    """The command line in this process: its status and what it wrote to standard output and error."""
    spec = importlib.util.spec_from_file_location('run_table_tool', repo_root / TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', [TOOL, *map(str, arguments)])
        status, written = module.main(), capsys.readouterr()
        return status, written.out, written.err.strip()

    return run


@pytest.mark.long
def test_a_table(workspace, run_tool, tool, monkeypatch):
    (workspace / 'plan.yml').write_text(yaml.safe_dump(PLAN, sort_keys=False))
    arguments = (
        TOOL,
        'small',
        'other',
        '--file',
        'plan.yml',
        '--scale',
        'tiny',
        '--seeds',
        1,
        '--jobs',
        2,
        '--work-dir',
        'tables',
    )
    done = run_tool(*arguments, cwd=workspace, check=True)
    assert '2 trainings (tiny, coco, seeds 0 to 0), 0 of them finished before' in done.stdout
    results = {
        path.parent.parent.name.rpartition('-')[0]: json.loads(path.read_text())
        for path in (workspace / 'tables/tiny_coco').glob('*/seed0/result.json')
    }
    assert {name: sorted(found['metric']) for name, found in results.items()} == {'one': ['1'], 'two': ['1', '2']}
    assert results['one']['overrides']['model.neck.depth'] == 2
    assert all(0 <= value <= 1 for found in results.values() for value in found['metric'].values())
    report = (workspace / 'tables/tiny_coco/small.md').read_text()
    assert report in done.stdout and '| two | 72.3 |' in report and '+2.8' in report
    assert f'| {100 * results["two"]["metric"]["2"]:.1f} |' in report
    assert cv2.imread(str(workspace / 'tables/tiny_coco/other.png')) is not None

    monkeypatch.chdir(workspace)
    status, said, _ = tool(*arguments[1:])
    assert status == 0 and '2 of them finished before' in said and '[1/' not in said and report in said


def test_two_at_work_in_one_folder(workspace, tool, monkeypatch):
    monkeypatch.chdir(workspace)
    (workspace / 'plan.yml').write_text(yaml.safe_dump(PLAN, sort_keys=False))
    with lock_work_dir(workspace / 'tables/tiny_coco'):
        status, _, said = tool('small', '--file', 'plan.yml', '--scale', 'tiny', '--work-dir', 'tables')
    assert status == 2 and 'tables/tiny_coco is in use by another run (process ' in said
    assert not list(workspace.glob('tables/*/*/seed0'))


def test_missing_data_stop_it_before_anything_is_trained(workspace, tool, monkeypatch):
    monkeypatch.chdir(workspace)
    (workspace / 'plan.yml').write_text(yaml.safe_dump(PLAN, sort_keys=False))
    next(workspace.glob('data/coco/train2017/*.jpg')).unlink()
    status, _, said = tool('small', '--file', 'plan.yml', '--scale', 'tiny', '--work-dir', 'tables')
    assert status == 2 and said.startswith('error: 1 images of ') and 'are missing' in said
    assert not list(workspace.glob('tables/*/*'))


MINI = ['--any-data', '--cfg-options', 'train_cfg.max_epochs=1', 'param_scheduler.1.end=1', 'param_scheduler.1.T_max=1']
CONFIG = 'configs/quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'


@pytest.mark.long
def test_the_reproduction_of_a_row(quick_start_folder, stick_people, run_tool, repo_root, monkeypatch):
    boxes = stick_people / 'coco/person_detection_results/COCO_val2017_detections_AP_H_56_person.json'
    done = run_tool(
        TOOL,
        'table1',
        '--row',
        'SDPose-S-V1',
        *MINI,
        f'test_dataloader.dataset.bbox_file={boxes}',
        cwd=quick_start_folder,
        check=True,
    )
    monkeypatch.chdir(quick_start_folder)
    home = next(Path('work_dirs/tables/mini_synthetic').glob('sdpose-s-v1-*'))
    row, text = json.loads((home / 'row.json').read_text()), (home / 'row.md').read_text()
    assert text in done.stdout and f'written: {home}/row.md, {home}/row.json' in done.stdout
    (seed,) = row['seeds']
    assert seed['evaluation']['boxes'] == f'person boxes: 9 detections from {boxes}'
    assert seed['annotated']['boxes'].startswith('person boxes: 8 ground-truth boxes from data/synthetic_starter/')
    assert {1, 2} == set(map(int, seed['metric'])) and seed['resumed'] is False and seed['seconds'] > 0
    found = [100 * seed[kind]['metrics']['cycle1/coco/AP'] for kind in ('evaluation', 'annotated')]
    assert f'| AP | 72.3 | {found[0]:.1f} | {found[1]:.1f} |' in text and '| AR | 77.7 | ' in text
    assert '| params | 6.6 | 0.' in text and row['data'] == dict(differs=['taken as they are'])
    assert row['config'] == CONFIG and row['overrides']['train_cfg.max_epochs'] == 1 and row['gpus'] == 1
    assert home.name.endswith(row['fingerprint']) and seed['environment']['packages']['mmpose']
    published = torch.load(seed['published'], weights_only=True)
    assert published['meta']['metrics'] == seed['evaluation']['metrics']
    _nothing_is_repeated(home, str(boxes), row, repo_root)


def _nothing_is_repeated(home, boxes, row, repo_root):
    said, file = [], str(repo_root / 'configs/sdpose/tables.yml')
    options = {
        'train_cfg.max_epochs': 1,
        'param_scheduler.1.end': 1,
        'param_scheduler.1.T_max': 1,
        'test_dataloader.dataset.bbox_file': boxes,
    }
    again = reproduce(
        file, 'table1', 'sdpose-s-v1', Means(['false'], ['false'], said.append, any_data=True), options=options
    )
    assert again == home / 'row.md' and said == []
    (seed,) = json.loads((home / 'row.json').read_text())['seeds']
    assert {**seed, 'published': ''} == {**row['seeds'][0], 'published': ''}
    assert [str(path) for path in home.glob('seed0/published/*')] == [seed['published']]
    report = collect(file, 'table1', [str(home / 'seed0')], said.append)
    assert f'measured on person boxes: 9 detections from {boxes}; coco/AP ' in said[0]
    assert said[0].startswith(f'{home}/seed0: SDPose-S-V1, ') and said[0] in report.read_text()


def test_mistakes_are_one_line(workspace, tool, monkeypatch):
    monkeypatch.chdir(workspace)
    (workspace / 'plan.yml').write_text(yaml.safe_dump(PLAN, sort_keys=False))
    cases = {
        ('smal',): 'error: table smal: plan.yml has only small, other',
        ('small', '--scale', 'huge'): 'error: --scale huge: plan.yml has only tiny',
        ('small', '--data', 'mpii'): 'error: --data mpii: scale tiny has only coco',
        ('small', '--seeds', 0): 'error: --seeds 0: give at least 1',
        ('small', '--gpus', 2, '--jobs', 2): 'error: --gpus 2: give at least 1, and more than 1 only with --jobs 1',
        ('small', '--row', 'three'): 'error: --row three: small has only one, two',
        ('small', 'other', '--row', 'two'): 'error: --row is about one table, not small, other',
        ('small', '--row', 'two', '--report-only'): 'error: --row and --report-only exclude each other',
        ('small', '--row', 'two', '--collect', 'x'): 'error: --collect and --row exclude each other',
    }
    for arguments, message in cases.items():
        scale = () if '--scale' in arguments else ('--scale', 'tiny')
        assert tool(*arguments, '--file', 'plan.yml', *scale) == (2, '', message)
    assert not (workspace / 'work_dirs').exists()


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['table1', '--row', 'okdhp-2hg'], 'OKDHP-2HG is quoted from the paper, this project cannot train it; choose '),
        (['table1', '--row', 'sdpose-s-v1', '--scale', 'gpu'], 'have configs for full, mini only'),
        (['table1', '--row', 'sdpose-s-v1', '--scale', 'full'], 'data/coco/train2017 has 6 images, not 118,287; '),
        (
            ['table1', '--row', 'sdpose-s-v1', '--scale', 'full'],
            'has 9 person boxes, not 104,125 (--any-data takes them',
        ),
        (
            ['table1', '--row', 'sdpose-s-v1', '--scale', 'full', '--data-root', 'x'],
            'error: x/ lacks train2017, val2017, ',
        ),
        (['table1', '--row', 'sdpose-s-v1', '--gpus', 8], 'error: --gpus 8: this machine has '),
        (['table1', '--collect', 'data'], 'error: --collect data: a work folder holds the one config it was made with'),
    ],
)
def test_mistakes_about_a_row_are_one_line(workspace, tool, monkeypatch, arguments, message):
    monkeypatch.chdir(workspace)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    status, _, said = tool(*arguments)
    assert status == 2 and said.startswith('error: ') and '\n' not in said and message in said
