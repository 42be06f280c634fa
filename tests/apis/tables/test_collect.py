"""Results of work folders: which rows they are of, on which boxes they were measured, and what is refused."""

import csv
import json
import os
from pathlib import Path

import pytest

from sdpose.apis.tables.collect import _places, _seed, collect
from sdpose.apis.tables.work_folder import read_work_folder
from sdpose.config.options import prepare
from sdpose.errors import DataError, UserError

ROOT = Path(__file__).parents[3]
SHIPPED = str(ROOT / 'configs/sdpose/tables.yml')
S_V1 = 'sdpose-s-v1_stemnet_8xb64-300e_coco-256x192'
DETECTED = 'person boxes: 104125 detections from a.json'
ANNOTATED = 'person boxes: 6352 ground-truth boxes from b.json'
METRICS = {'coco/AP': 0.7012, 'coco/AP .5': 0.88, 'coco/AR': 0.76}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Makes a work folder: the dumped config of a training, and tests of it."""
    monkeypatch.chdir(tmp_path)

    def make(config, *tests, **options):
        cfg = prepare(config, cfg_options={key.replace('__', '.'): value for key, value in options.items()})
        path = tmp_path / f'run{len(list(tmp_path.glob("run*")))}'
        path.mkdir()
        cfg.dump(str(path / f'{Path(cfg.filename).name}'))
        for number, (boxes, metrics) in enumerate(tests):
            (path / f'2026_{number}').mkdir()
            file = path / f'2026_{number}/metrics.json'
            file.write_text(json.dumps(dict(boxes=boxes, metrics=metrics, checkpoint='w/epoch_300.pth')))
            os.utime(file, (number, number))
        return str(path)

    return make


def report(*folders, name='table1'):
    said = []
    path = collect(SHIPPED, name, folders, said.append, 'w')
    assert path == Path(f'w/collected/{name}.md') and path.with_suffix('.png').is_file()
    return path.read_text(), said


def line(text, row):
    cells = next(each for each in text.splitlines() if each.startswith(f'| {row} |')).strip('| ').split(' | ')
    header = next(each for each in text.splitlines() if each.startswith('| row |')).strip('| ').split(' | ')
    return dict(zip(header, cells))


def test_the_newest_test_on_a_detectors_boxes_counts(folder):
    path = folder(
        S_V1,
        (DETECTED, {**METRICS, 'coco/AP': 0.5}),
        (DETECTED, METRICS),
        (ANNOTATED, {'coco/AP': 0.7234}),
        data_root='elsewhere/',
    )
    text, said = report(path)
    found = line(text, 'SDPose-S-V1')
    assert (found['paper'], found['measured (first cycle)'], found['seeds']) == ('72.3', '70.1', '1')
    assert (found['AP50'], found['AP50, measured'], found['AR, measured']) == ('89.2', '88.0', '76.0')
    assert found['APM, measured'] == '-' and found['config'] == S_V1
    assert line(text, 'SDPose-T')['measured (first cycle)'] == '-'
    assert line(text, 'OKDHP-2HG')['config'] == 'quoted' and line(text, 'OKDHP-2HG')['paper'] == '72.8'
    assert (
        said
        == [f'{path}: SDPose-S-V1; epoch_300.pth of {S_V1}; measured on {DETECTED}; coco/AP 72.3 on annotated boxes']
        and said[0] in text
    )


def test_rows_are_compared_where_they_have_the_same_seed(folder):
    def trained(seed, cycles, ap):
        options = dict(model__neck__num_cycles=cycles, randomness__seed=seed)
        name = 'sdpose-t_stemnet_8xb64-300e_coco-256x192'
        return folder(name, (DETECTED, {f'cycle{cycle}/coco/AP': ap for cycle in range(1, cycles + 1)}), **options)

    _places_of = _places([[2, 1, 1], [1, 5]])
    assert _places_of == [1, 1, 2, 5]
    paths = [trained(seed, 3, 0.7 + seed / 100) for seed in (2, 0, 1)]
    assert [_seed(read_work_folder(path)) for path in paths] == [2, 0, 1]
    path = collect(SHIPPED, 'table1', paths, print, 'w')
    rows = list(csv.DictReader(path.with_suffix('.csv').open()))
    assert [float(row['metric']) for row in rows if row['cycle'] == '1'] == pytest.approx([70, 71, 72])  # by seed


def test_every_number_of_a_collected_folder_bears_its_seed(folder):
    """In whatever order they are named, and where a row lacks a seed that another one has."""
    sizes, paths = {'sdpose-t': 3, 'sdpose-s-v1': 2}, []
    for name, seed in (('sdpose-t', 5), ('sdpose-t', 0), ('sdpose-t', None), ('sdpose-s-v1', 5)):
        metrics = {f'cycle{cycle}/coco/AP': (seed or 0) / 100 for cycle in range(1, sizes[name] + 1)}
        options = {} if seed is None else dict(randomness__seed=seed)
        paths.append(folder(f'{name}_stemnet_8xb64-300e_coco-256x192', (DETECTED, metrics), **options))
        entry = dict(step=50, iter=50, acc_pose=-1.0 if seed is None else seed / 10)
        Path(paths[-1], 'scalars.json').write_text(json.dumps(entry))
    path = collect(SHIPPED, 'table1', paths, print, 'w')
    for suffix, column, scale in (('.csv', 'metric', 1), ('.curves.csv', 'acc_pose', 10)):
        rows = list(csv.DictReader(path.with_suffix(suffix).open()))
        found = {(row['row'], row['seed'], round(scale * float(row[column]))) for row in rows}
        assert {('SDPose-T', '0', 0), ('SDPose-T', '5', 5), ('SDPose-S-V1', '5', 5)} == {
            each for each in found if each[1]
        }
        assert [each[0] for each in found if not each[1]] == ['SDPose-T']  # of the folder that was given no seed


def test_seeds_and_cycles(folder):
    tests = [
        (DETECTED, {'cycle1/coco/AP': value, 'cycle2/coco/AP': 0.1, 'cycle1/coco/AR': value}) for value in (0.7, 0.72)
    ]
    text, _ = report(*(folder(S_V1, test) for test in tests))
    assert line(text, 'SDPose-S-V1')['measured (first cycle)'] == '71.0 ± 1.4'
    assert line(text, 'SDPose-S-V1')['AR, measured'] == '71.0 ± 1.4'


def test_a_training_that_differs_is_said(folder):
    path = folder(
        S_V1,
        (DETECTED, METRICS),
        optim_wrapper__optimizer__lr=5e-4,
        train_dataloader__num_workers=8,
        model__test_cfg__flip_test=False,
        train_cfg__max_epochs=30,
    )
    _, said = report(path)
    assert said[0].endswith(
        'trained differently from the row in model.test_cfg.flip_test, optim_wrapper.optimizer.lr, train_cfg.max_epochs'
    )


def test_an_ablation_is_found_by_its_model(folder):
    options = dict(model__distiller=None, model__head__supervise='last')
    path = folder(S_V1, (DETECTED, {'cycle1/coco/AP': 0.55, 'cycle2/coco/AP': 0.73}), **options)
    text, said = report(path, name='table6')
    assert said[0].startswith(f'{path}: deep, 2 cycles; ') and 'differently' not in said[0]
    assert line(text, 'deep, 2 cycles')['measured (last cycle)'] == '73.0'


@pytest.mark.parametrize(
    'config, tests, options, message',
    [
        (
            'distilpose-s_stemnet_8xb32-300e_coco-256x192',
            [(DETECTED, METRICS)],
            {},
            '-256x192 is that of no row of table1',
        ),
        (
            S_V1,
            [(DETECTED, METRICS)],
            dict(model__neck__depth=8),
            'its model is that of no row of table1; it differs from SDPose-S-V1 in model.neck.depth',
        ),
        (
            S_V1,
            [(ANNOTATED, METRICS)],
            {},
            'was tested on annotated boxes alone, and SDPose-S-V1 stands for the detector',
        ),
        (S_V1, [], {}, 'no test was run here .no metrics.json.; python tools/test.py'),
        (S_V1, [(DETECTED, {'crowdpose/AP': 0.5})], {}, 'its test reports no coco/AP, only crowdpose/AP'),
    ],
)
def test_what_is_of_no_row_is_refused(folder, config, tests, options, message):
    with pytest.raises(UserError, match=message) as caught:
        report(folder(config, *tests, **options))
    assert 'run0' in str(caught.value) and '\n' not in str(caught.value)


def test_what_is_no_work_folder_is_refused(folder, tmp_path):
    (tmp_path / 'file.pth').touch()
    path = Path(folder(S_V1, (DETECTED, METRICS)))
    (path / '2026_0/metrics.json').write_text('{')
    with pytest.raises(DataError, match='metrics.json is damaged .*: remove it, and test again'):
        report(str(path))
    for name, message in (
        ('nowhere', 'it does not exist'),
        ('file.pth', 'it is a file'),
        ('.', 'holds the one config it was made with, this one none'),
    ):
        with pytest.raises(DataError, match=message):
            report(name)
    with pytest.raises(UserError, match="numbers of table3 are from COCO's server"):
        report(str(path), name='table3')
    with pytest.raises(UserError, match='table table10: .* has only table1, '):
        report(str(path), name='table10')


def test_shared_very_small_configs_fill_every_row_of_theirs(folder):
    name = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
    text, said = report(folder(name, (ANNOTATED, METRICS)))  # no detector has seen drawn people
    assert said[0].startswith('/') and ': SDPose-S-V1, SDPose-S-V2, SDPose-B; ' in said[0]
    assert line(text, 'SDPose-B')['measured (first cycle)'] == '70.1'
    assert line(text, 'SDPose-T')['measured (first cycle)'] == '-'  # three cycles
