"""A small table through the command line: trainings, evaluations, the report, a second start that repeats nothing."""

import json

import cv2
import yaml

from sdpose.folders import sole_training

TOOL = 'tools/analysis_tools/run_table.py'
PLAN = dict(
    metric='coco/AP',
    tables=dict(
        small=dict(
            title='A small table', read='last', reference='one',
            rows=[dict(name='one', paper=69.5, overrides={'model.neck.num_cycles': 1, 'model.distiller': None}),
                  dict(name='two', paper=72.3, depth='shallow')]),
        other=dict(title='Another', read='first', reference='two', rows=[dict(name='two', depth='shallow')])),
    scales=dict(
        tiny=dict(
            config='tiny.py', layers=dict(deep=2, shallow=1), threads=1,
            overrides={'train_cfg.max_epochs': 1, 'param_scheduler.1.end': 1,
                       'test_dataloader.dataset.bbox_file': None},
            data=dict(coco=dict(root='data/coco/')))))


def test_a_table(workspace, run_tool):
    (workspace / 'plan.yml').write_text(yaml.safe_dump(PLAN, sort_keys=False))
    arguments = (TOOL, 'small', 'other', '--file', 'plan.yml', '--scale', 'tiny', '--seeds', 1, '--jobs', 2,
                 '--work-dir', 'tables')
    done = run_tool(*arguments, cwd=workspace, check=True)
    assert '2 trainings (tiny, coco, seeds 0 to 0), 0 of them finished before' in done.stdout
    results = {path.parent.parent.name.rpartition('-')[0]: json.loads(path.read_text())
               for path in (workspace / 'tables/tiny_coco').glob('*/seed0/result.json')}
    assert {name: sorted(found['metric']) for name, found in results.items()} == {'one': ['1'], 'two': ['1', '2']}
    assert results['one']['overrides']['model.neck.depth'] == 2
    assert all(0 <= value <= 1 for found in results.values() for value in found['metric'].values())
    report = (workspace / 'tables/tiny_coco/small.md').read_text()
    assert report in done.stdout and '| two | 72.3 |' in report and '+2.8' in report
    assert f'| {100 * results["two"]["metric"]["2"]:.1f} |' in report
    assert cv2.imread(str(workspace / 'tables/tiny_coco/other.png')) is not None

    again = run_tool(*arguments, cwd=workspace, check=True)
    assert '2 of them finished before' in again.stdout and '[1/' not in again.stdout and report in again.stdout


def test_two_at_work_in_one_folder(workspace, run_tool):
    (workspace / 'plan.yml').write_text(yaml.safe_dump(PLAN, sort_keys=False))
    with sole_training(workspace / 'tables/tiny_coco'):
        done = run_tool(TOOL, 'small', '--file', 'plan.yml', '--scale', 'tiny', '--work-dir', 'tables', cwd=workspace)
    assert done.returncode == 2 and 'tables/tiny_coco is in use by another training (process ' in done.stderr
    assert '[1/' not in done.stdout and not list(workspace.glob('tables/*/*/seed0'))


def test_missing_data_stop_it_before_anything_is_trained(workspace, run_tool):
    (workspace / 'plan.yml').write_text(yaml.safe_dump(PLAN, sort_keys=False))
    next(workspace.glob('data/coco/train2017/*.jpg')).unlink()
    done = run_tool(TOOL, 'small', '--file', 'plan.yml', '--scale', 'tiny', '--work-dir', 'tables', cwd=workspace)
    assert done.returncode == 2 and 'error: 1 images of ' in done.stderr and 'are missing' in done.stderr
    assert '[1/' not in done.stdout and not list(workspace.glob('tables/*/*'))


def test_mistakes_are_one_line(workspace, run_tool):
    (workspace / 'plan.yml').write_text(yaml.safe_dump(PLAN, sort_keys=False))
    cases = {('smal', ): 'error: table smal: plan.yml has only small, other',
             ('small', '--scale', 'huge'): 'error: --scale huge: plan.yml has only tiny',
             ('small', '--data', 'mpii'): 'error: --data mpii: scale tiny has only coco',
             ('small', '--seeds', 0): 'error: --seeds 0: give at least 1',
             ('small', '--gpus', 2, '--jobs', 2): 'error: --gpus 2: give at least 1, and more than 1 only '
                                                    'with --jobs 1'}
    for arguments, message in cases.items():
        scale = () if '--scale' in arguments else ('--scale', 'tiny')
        done = run_tool(TOOL, *arguments, '--file', 'plan.yml', *scale, cwd=workspace)
        assert done.returncode == 2 and done.stderr.strip() == message
