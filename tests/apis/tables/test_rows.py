"""One row: which it is, what is left to do for it, what its record says, and how it is written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sdpose.apis.tables.environment import environment
from sdpose.apis.tables.plan import Row, Table
from sdpose.apis.tables.reproduce import find_row
from sdpose.apis.tables.row_report import of_cycle, row_markdown
from sdpose.apis.tables.run import Run, united
from sdpose.apis.tables.run_table import outcome
from sdpose.apis.tables.setting import Setting
from sdpose.apis.tables.work import Means, require_means
from sdpose.errors import ConfigError, UserError

TABLE = Table('A table', (Row('SDPose-S-V1 + PPT', 72.3), Row('OKDHP', 72.8, quoted=True), Row('5e-6')), 'first')
MADE = dict(
    gpus=['Some GPU'] * 2,
    cpu='Some CPU',
    cores=4,
    system='Linux x86_64',
    python='3.11.1',
    sdpose='0.1.0',
    packages=dict(torch='2.6'),
    commit='abc',
)
RECORD = dict(
    table='table1',
    row='SDPose-S-V1',
    scale='full',
    data_set='coco',
    data=dict(files={}, differs=[]),
    config='c.py',
    overrides=dict(data_root='data/coco/'),
    fingerprint='0123456789',
    gpus=8,
    percent=False,
    read='first',
    scored=True,
    paper=dict(AP=72.3, params=6.6),
    columns=dict(AP='coco/AP', AR='coco/AR'),
    complexity=dict(params=6.6207),
    seeds=[
        dict(
            seed=seed,
            metric={'1': ap, '2': 0.1},
            seconds=7,
            resumed=seed == 1,
            environment=MADE,
            published='p',
            evaluation=dict(boxes='some boxes', metrics={'cycle1/coco/AP': ap, 'cycle2/coco/AP': 0.1}),
            annotated=dict(boxes='others', metrics={'cycle1/coco/AP': ap + 0.02, 'cycle1/coco/AR': 0.8}),
        )
        for seed, ap in enumerate((0.70, 0.72))
    ],
)


@pytest.fixture
def run(tmp_path):
    return Run('c.py', {'randomness.seed': 0}, tmp_path, 2, 'epoch_3.pth', 'coco/AP', annotated=True, test_dev=True)


def test_a_row_is_found_by_its_name_in_any_writing():
    for name in ('SDPose-S-V1 + PPT', 'sdpose-s-v1-ppt', 'SDPose-S-V1-PPT'):
        assert find_row(TABLE, 'table8', name).name == 'SDPose-S-V1 + PPT'
    assert find_row(TABLE, 'weights', '5e-6').name == '5e-6'
    with pytest.raises(UserError, match='--row sdpose: table8 has only sdpose-s-v1-ppt, okdhp, 5e-6'):
        find_row(TABLE, 'table8', 'sdpose')
    with pytest.raises(UserError, match='OKDHP is quoted .* choose one of sdpose-s-v1-ppt, 5e-6$'):
        find_row(TABLE, 'table8', 'okdhp')


def test_what_is_left_to_do(run):
    commands = run.commands(['train'], ['test'])
    assert [command[0] for command in commands] == ['train', 'test', 'test', 'test']
    assert '--resume' in commands[0] and str(run.folder) in commands[0]
    assert all(command[2] == str(run.folder / 'epoch_3.pth') for command in commands[1:])
    assert ['--all-cycles' in command for command in commands] == [False, True, True, False]
    assert ['--gt-bbox' in command for command in commands] == [False, False, True, False]
    assert len({command[command.index('--work-dir') + 1] for command in commands}) == 4
    run.checkpoint.touch()
    assert [command[0] for command in run.commands(['train'], ['test'])] == ['test', 'test', 'test']
    whole = Run('c.py', {}, run.folder, None, 'epoch_3.pth', 'coco/AP')
    assert not any('--all-cycles' in command for command in whole.commands(['train'], ['test']))


def test_it_is_finished_when_all_that_is_asked_for_is_done(run):
    plain = Run(run.config, run.overrides, run.folder, 2, run.last, run.metric)
    assert not plain.finished()
    (run.folder / 'result.json').write_text(json.dumps(dict(metric={'1': 0.5})))
    assert plain.finished() and not run.finished()
    assert not replace(run, test_dev=False).finished()
    (run.folder / 'result.json').write_text(json.dumps(dict(metric={'1': 0.5}, annotated={})))
    assert not run.finished()
    run.submission.touch()
    assert run.finished()
    (one,) = united([plain, run, plain])
    assert one == run


def test_a_run_whose_record_was_removed_is_named(run):
    with pytest.raises(ConfigError, match='result.json is missing although its run has ended: start the table again'):
        run.finished_record()


def test_a_finished_run_records_both_evaluations_and_its_environment(run):
    for folder, metrics in (('test', {'cycle1/coco/AP': 0.5, 'cycle2/coco/AP': 0.6}), ('test_annotated', {'a': 0.7})):
        (run.folder / folder / 'now').mkdir(parents=True)
        (run.folder / folder / 'now/metrics.json').write_text(json.dumps(dict(boxes=folder, metrics=metrics)))
    assert run.finish(seconds=3) == {1: 0.5, 2: 0.6}
    record = run.record()
    assert record['metric'] == {1: 0.5, 2: 0.6} and record['seconds'] == 3
    assert record['evaluation']['boxes'] == 'test' and record['annotated']['metrics'] == {'a': 0.7}
    assert record['environment'] == environment() and record['resumed'] is False
    path = run.folder / 'result.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), 'environment': MADE}))
    run.finish(seconds=4, resumed=True)  # evaluated anew, maybe elsewhere
    assert (run.record()['environment'], run.record()['seconds'], run.record()['resumed']) == (MADE, 7, True)


def test_the_cycle_that_is_read():
    record = dict(metric={1: 0.5, 2: 0.6}, evaluation=dict(metrics={'cycle1/m': 1, 'cycle2/m': 2}))
    assert of_cycle(record, 'm', 'first') == 1 and of_cycle(record, 'm', 'last') == 2
    assert of_cycle(dict(metric={1: 0.5}, evaluation=dict(metrics=dict(m=3))), 'm', 'first') == 3
    assert of_cycle(record, 'other', 'first') is None and of_cycle(record, 'm', 'first', 'annotated') is None


def test_per_cent_stay_per_cent():
    record = dict(metric={1: 72.2}, evaluation=dict(metrics={'accuracy/top5': 91.1}))
    table = Table('A table', (), 'first', percent=True, columns={'top-5': 'accuracy/top5'})
    found = outcome(table, Row('DeiT'), [record, None], 'x')
    assert found.seeds == [{1: 72.2}, None] and found.columns == {'top-5': [91.1]}
    found = outcome(
        Table('A table', (), 'first', columns=dict(AR='coco/AR')),
        Row('row'),
        [dict(metric={1: 0.5}, evaluation=dict(metrics={'coco/AR': 0.25}))],
        'x',
    )
    assert found.seeds == [{1: 50.0}] and found.columns == dict(AR=[25.0])


def test_a_row_is_written():
    lines = row_markdown(RECORD).splitlines()
    assert lines[0] == '### SDPose-S-V1 (table1, scale full, data coco)'
    assert lines[2:7] == [
        '| | paper | measured | measured, annotated boxes |',
        '| --- | --- | --- | --- |',
        '| AP | 72.3 | 71.0 ± 1.4 | 73.0 ± 1.4 |',
        '| AR | - | - | 80.0 ± 0.0 |',
        '| params | 6.6 | 6.62 |  |',
    ]
    assert lines[8:] == [
        '- config: c.py, fingerprint 0123456789',
        '- overrides: data_root=data/coco/',
        '- data: the known files',
        '- measured on: some boxes; others',
        '- seeds: 0 (7 s), 1 (7 s without what interrupted starts took)',
        '- processes: 8',
        '- machine: Some GPU, Some GPU, Linux x86_64',
        '- versions: python 3.11.1, torch 2.6',
        '- code: sdpose 0.1.0, commit abc',
        '- published: p, p',
    ]


def test_other_data_are_written_beside_the_numbers():
    text = row_markdown({**RECORD, 'data': dict(files={}, differs=['val2017 has 8 images, not 5,000'])})
    assert '- data: NOT the known data: val2017 has 8 images, not 5,000' in text
    assert '- data: drawn, level starter, seed 0' in row_markdown(
        {**RECORD, 'data': dict(drawn=dict(level='starter', seed=0), differs=[])}
    )
    unscored = row_markdown({**RECORD, 'scored': False})
    assert '| AP | 72.3 | 71.0 ± 1.4 (val) | 73.0 ± 1.4 (val) |' in unscored


@pytest.mark.parametrize(
    'seeds, jobs, gpus, message',
    [
        (0, 1, 1, '--seeds 0: give at least 1'),
        (1, 0, 1, '--jobs 0: give at least 1'),
        (1, 1, 0, '--gpus 0: give at least 1'),
        (1, 2, 2, '--gpus 2: give .* only with --jobs 1'),
        (1, 1, 8, '--gpus 8: this machine has 4'),
        (3, 4, 1, None),
        (1, 1, 4, None),
    ],
)
def test_means(monkeypatch, seeds, jobs, gpus, message):
    monkeypatch.setattr('torch.cuda.device_count', lambda: 4)
    means = Means([], [], print, jobs, gpus)
    if message is None:
        require_means(means, seeds)
    else:
        with pytest.raises(UserError, match=message):
            require_means(means, seeds)


def test_the_environment_names_what_a_result_depends_on():
    found = environment()
    assert found['packages']['mmpose'] and found['python'] and found['cores'] >= 1
    assert found['commit'] == 'unknown' or len(found['commit'].split()[0]) == 40
    assert str(Path.home()) not in json.dumps(found)


def test_a_row_without_a_config_at_a_scale_is_not_trained():
    row = Row('row', configs=dict(full='x.py'))
    assert Setting(None, 'mini', 'synthetic', 'data/', None).recipe(row) is None
