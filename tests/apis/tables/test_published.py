"""Tables 1 to 4, 8 and 9 hold the paper's numbers, each trained row by the config that its metafile gives them to."""

from pathlib import Path

import pytest
import yaml
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS

from sdpose.apis.tables.plan_file import read_plan
from sdpose.apis.tables.run import RunFolders
from sdpose.apis.tables.setting import Setting, choose
from sdpose.config.load import load_config
from sdpose.evaluation import TopKAccuracy

ROOT = Path(__file__).parents[3]
SHIPPED = str(ROOT / 'configs/sdpose/tables.yml')
COLUMNS = ('params', 'GFLOPs', 'AP', 'AP50', 'AP75', 'APM', 'APL', 'AR')
# As printed in the paper, in the order of COLUMNS; None where a number is not printed, or not known here.
PUBLISHED = {
    'table1': {
        'SimpleBaseline-R50': (34.0, 8.9, 70.4, 88.6, 78.3, 67.1, 77.2, 76.3),
        'SimpleBaseline-R101': (53.0, 12.4, 71.4, 89.3, 79.3, 68.1, 78.1, 77.1),
        'SimpleBaseline-R152': (68.6, 15.7, 72.0, 89.3, 79.8, 68.7, 78.9, 77.8),
        'OKDHP-2HG': (13.0, 25.5, 72.8, 91.5, 79.5, 69.9, 77.1, 75.6),
        'OKDHP-4HG': (24.0, 47.0, 74.8, 92.5, 81.6, 72.1, 78.5, 77.4),
        'TokenPose-S-V1': (6.6, 2.4, 69.5, 87.7, 77.1, 65.7, 76.6, 74.9),
        'TokenPose-S-V2': (6.2, 4.7, 71.8, 88.7, 79.0, 68.3, 78.5, 77.0),
        'TokenPose-B': (13.2, 5.2, 73.2, 89.5, 80.2, 70.1, 79.8, 78.7),
        'PPT-S': (6.6, 2.0, 69.8, 87.7, 76.8, 66.1, 76.7, 75.1),
        'PPT-B': (13.2, 4.7, 73.4, 89.5, 80.8, 70.3, 79.8, 78.8),
        'SDPose-T': (4.4, 1.8, 69.7, 88.1, 77.3, 66.1, 76.6, 75.2),
        'SDPose-S-V1': (6.6, 2.4, 72.3, 89.2, 79.6, 68.8, 79.1, 77.7),
        'SDPose-S-V2': (6.2, 4.7, 73.5, 89.5, 80.4, 70.1, 80.3, 78.7),
        'SDPose-B': (13.2, 5.2, 73.7, 89.6, 80.4, 70.3, 80.5, 79.1),
    },
    'table2': {
        'PRTR-R50, 384x288': (41.5, 11.0, 68.2),
        'PRTR-R50, 512x384': (41.5, 18.8, 71.0),
        'Poseur-MobileNetV2': (11.4, 0.5, 71.9),
        'Poseur-R50': (33.3, 4.6, 75.4),
        'RLE-R50': (23.6, 4.0, 70.5),
        'DistilPose-S': (5.4, 2.4, 71.6),
        'SDPose-Reg': (5.4, 2.4, 73.0),
    },
    'table3': {
        'TokenPose-S-V1': (6.6, 2.4, 68.6, 89.9, 76.1, 65.1, 74.5),
        'TokenPose-S-V2': (6.6, 4.7, 71.1, 90.4, 78.7, 67.7, 77.1),
        'PPT-S': (6.6, 2.0, 69.2, 90.1, 76.8, 65.8, 75.2),
        'SDPose-T': (4.4, 1.8, 69.2, 90.2, 76.8, 65.7, 75.2),
        'SDPose-S-V1': (6.6, 2.4, 71.7, 91.1, 79.5, 68.3, 77.5),
        'SDPose-S-V2': (6.2, 4.7, 72.7, 91.2, 80.3, 69.3, 78.5),
        'PRTR-R101, 512x384': (60.4, 33.4, 72.0, 89.3, 79.4, 67.3, 79.7),
        'RLE-R50': (23.6, 4.0, 69.8, 90.1, 77.5, 67.2, 74.3),
        'DistilPose-S': (5.4, 2.4, 71.0, 91.0, 78.9, 67.5, 76.8),
        'SDPose-Reg': (5.4, 2.4, 72.1, 91.2, 79.5, 68.6, 78.0),
    },
    'table4': {
        name: (None, None, ap, None, None, None, None, ar)
        for name, ap, ar in (
            ('TokenPose-S-V1', 55.7, 65.2),
            ('TokenPose-S-V2', 62.3, 71.3),
            ('SDPose-S-V1', 57.3, 66.8),
            ('SDPose-S-V2', 64.5, 73.7),
        )
    },
    'table8': {'PPT-S': (6.6, 2.0, 69.8), 'SDPose-S-V1': (6.6, 2.4, 72.3), 'SDPose-S-V1 + PPT': (6.6, 2.0, 72.3)},
    'table9': {
        'DeiT-Tiny': (None, None, 72.2),
        'DeiT-Tiny, 2 cycles': (None, None, 73.4),
        'DeiT-Tiny + SDPose': (None, None, 72.7),
    },
}
TRAINED = [
    (name, row) for name, rows in PUBLISHED.items() for row in rows if not row.startswith(('OKDHP', 'PRTR', 'Poseur'))
]
# How a metafile calls what a table prints; the first that a model has.
KEYS = {
    'table3': ['AP test-dev (paper)', 'AP test-dev (paper: retrained)', "AP test-dev (paper: SDPose's retraining)"],
    'table9': ['top-1 (paper)'],
}
OTHERS = ['AP (paper)', 'AP (paper: retrained)', "AP (paper: SDPose's retraining)"]


@pytest.fixture(scope='module')
def plan():
    return read_plan(Path(SHIPPED))


@pytest.fixture(scope='module')
def models():
    return {
        model['Config']: model
        for file in ROOT.glob('configs/*/metafile.yml')
        for model in yaml.safe_load(file.read_text())['Models']
    }


def row_of(plan, name, row):
    return next(each for each in plan.tables[name].rows if each.name == row)


@pytest.mark.parametrize('name', PUBLISHED)
def test_numbers_are_the_papers(plan, name):
    found = {row.name: {**row.figures, 'AP': row.paper} for row in plan.tables[name].rows}
    for row in found.values():
        row.pop('FPS', None)
    assert found == {
        row: {column: value for column, value in zip(COLUMNS, values) if value is not None}
        for row, values in PUBLISHED[name].items()
    }
    assert {row.name for row in plan.tables[name].rows if not row.quoted} == {
        row for table, row in TRAINED if table == name
    }


@pytest.mark.parametrize('name, row', TRAINED)
def test_the_config_is_the_metafiles(plan, models, name, row):
    row = row_of(plan, name, row)
    model = models[row.configs['full']]
    quoted = {key: value for result in model.get('Results', ()) for key, value in result['Metrics'].items()}
    known = [quoted[key] for key in KEYS.get(name, OTHERS) if key in quoted]
    assert known[:1] == [row.paper] or (name, row.name, known) == ('table3', 'RLE-R50', [])
    if 'AR (paper)' in quoted and 'AR' in row.figures:
        assert quoted['AR (paper)'] == row.figures['AR']
    printed = round(model['Metadata']['Parameters'] / 1e6, 1)
    assert abs(printed - row.figures.get('params', printed)) < 0.15 or (name, row.name) == ('table3', 'TokenPose-S-V2')


@pytest.mark.parametrize('scale', ['mini', 'full'])
@pytest.mark.parametrize('name', PUBLISHED)
def test_every_row_has_a_config_whose_test_reports_the_columns(plan, name, scale):
    table = plan.tables[name]
    setting = choose(plan, SHIPPED, table, scale, None, None, 'w', {})
    families = {'coco/AP': CocoMetric, 'crowdpose/AP': CocoMetric, 'accuracy/top1': TopKAccuracy}
    for row in table.rows:
        recipe = setting.recipe(row)
        assert (recipe is None) == row.quoted
        if recipe:
            config = load_config(*recipe)
            assert config.data_root == setting.data.root
            metric = METRICS.get(config.test_evaluator.type)
            assert issubclass(metric, families[table.metric or plan.metric])
            assert config.test_evaluator.get('prefix', 'coco') == (table.metric or plan.metric).partition('/')[0] or (
                table.percent
            )


def test_a_teacher_is_trained_for_distilpose(plan):
    table = plan.tables['table2']
    options = {'train_cfg.max_epochs': 2, 'model.neck.depth': 2}
    setting = choose(plan, SHIPPED, table, 'mini', None, None, 'w', options)
    runs = setting.runs(table, row_of(plan, 'table2', 'DistilPose-S'), 2)
    teacher = runs[0].teacher
    assert teacher == runs[1].teacher and teacher.folder.name == 'seed0' and teacher.last == 'epoch_2.pth'
    assert runs[0].overrides['model.neck.depth'] == 2 and 'model.neck.depth' not in teacher.overrides
    assert all(run.overrides['model.distiller.checkpoint'] == str(teacher.checkpoint) for run in runs)
    elsewhere = Setting(plan, 'mini', 'synthetic', setting.root, RunFolders(Path('elsewhere')), setting.options)
    assert (
        elsewhere.runs(table, row_of(plan, 'table2', 'DistilPose-S'), 1)[0].folder.parent.name
        == runs[0].folder.parent.name
    )


def test_the_known_files_are_everybodys(plan):
    data = plan.scales['full'].data
    assert data['coco'].known == {
        'train2017': dict(images=118287),
        'val2017': dict(images=5000),
        'annotations/person_keypoints_train2017.json': dict(
            bytes=238884731, listed_images=118287, people=262465, labelled_people=149813
        ),
        'annotations/person_keypoints_val2017.json': dict(
            bytes=10020657, listed_images=5000, people=11004, labelled_people=6352
        ),
        'person_detection_results/COCO_val2017_detections_AP_H_56_person.json': dict(person_boxes=104125),
    }
    assert data['crowdpose'].known == {
        'images': dict(images=20000),
        'annotations/mmpose_crowdpose_trainval.json': dict(listed_images=12000),
        'annotations/mmpose_crowdpose_test.json': dict(listed_images=8000),
    }
    assert data['mpii'].known == {
        'images': {},
        'annotations/mpii_train.json': dict(people=22246),
        'annotations/mpii_val.json': dict(people=2958),
        'annotations/mpii_gt_val.mat': {},
    }
    assert data['imagenet'].known == {
        'train': dict(classes=1000, images=1281167),
        'val': dict(classes=1000, images=50000),
    }


def test_equal_models_of_several_tables_train_once(plan):
    run_folders = RunFolders(Path('w'))
    setting = Setting(plan, 'full', 'coco', 'data/coco/', run_folders)
    folders = {
        name: setting.runs(plan.tables[name], row_of(plan, name, 'SDPose-S-V1'), 1)[0].folder
        for name in ('table1', 'table3', 'table8')
    }
    folders['table7'] = setting.runs(plan.tables['table7'], row_of(plan, 'table7', '2 cycles'), 1)[0].folder
    assert len(set(folders.values())) == 1


def test_changes_at_a_scale_reach_the_config_of_every_row(plan):
    """Of a row with a config of its own, and of one without, which were left out."""
    seen = 0
    for name, table in plan.tables.items():
        for row in table.rows:
            for scale, changes in row.changes.items():
                data = table.data.get(scale, next(iter(plan.scales[scale].data)))
                recipe = Setting(plan, scale, data, 'data/x/', RunFolders(Path('w'))).recipe(row)
                assert recipe is not None and changes.items() <= recipe[1].items(), (name, row.name, scale)
                seen += 1
    assert seen > 8
    for scale in ('mini', 'fresh'):
        data = plan.tables['crop_cache'].data.get(scale, 'synthetic')
        setting = Setting(plan, scale, data, 'data/x/', RunFolders(Path('w')))
        caches = [setting.recipe(row)[1].get('load_step.cache') for row in plan.tables['crop_cache'].rows]
        assert caches[0] is None and len(set(caches)) == 3


def test_test_dev_is_written_where_nobody_can_score_it(plan, tmp_path):
    table = plan.tables['table3']
    setting = Setting(plan, 'full', 'coco', 'data/coco/', RunFolders(tmp_path))
    run = setting.runs(table, row_of(plan, 'table3', 'SDPose-S-V1'), 1)[0]
    last = run.commands(['train'], ['test'])[-1]
    assert last[:3] == ['test', run.config, str(run.checkpoint)] and '--test-dev' in last
    assert last[last.index('--out') + 1] == str(run.submission)
    assert 'data_root=data/coco/' in last
    mini = Setting(plan, 'mini', 'synthetic', 'data/x/', RunFolders(tmp_path))
    assert not mini.runs(table, row_of(plan, 'table3', 'SDPose-S-V1'), 1)[0].test_dev
