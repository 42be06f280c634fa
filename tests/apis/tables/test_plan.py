"""Files of tables: the shipped one is the paper's, and mistakes are named."""

from pathlib import Path

import pytest
import yaml
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from sdpose.apis.tables.plan_file import read_plan
from sdpose.apis.tables.run import RunFolders, make_runs
from sdpose.config.load import load_config
from sdpose.errors import ConfigError

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / 'configs/sdpose/tables.yml'
PUBLISHED = {
    'table5': [55.4, 70.2, 69.6, 71.7, 58.2, 72.3],
    'table6': [69.5, 73.3, 72.4, 69.4, 70.8],
    'table7': [69.5, 72.3, 71.7],
}
# What trains in each row: cycles, layers at the mini scale, supervised cycles, distillation terms.
MEANING = {
    'table5': [
        (2, 2, 'last', ()),
        (2, 2, 'all', ()),
        (2, 2, 'all', ('query',)),
        (2, 2, 'all', ('visual',)),
        (2, 2, 'last', ('query', 'visual')),
        (2, 2, 'all', ('query', 'visual')),
    ],
    'table6': [(1, 2, 'all', ()), (2, 2, 'last', ()), (3, 2, 'last', ()), (2, 1, 'last', ()), (3, 1, 'last', ())],
    'table7': [(1, 2, 'all', ()), (2, 2, 'all', ('query', 'visual')), (3, 2, 'all', ('query', 'visual'))],
}


@pytest.fixture(scope='module')
def plan():
    return read_plan(SHIPPED)


def overrides(plan, scale, row):
    chosen = plan.scales[scale]
    if row.configs:
        return {**row.changes.get(scale, {}), **row.overrides}
    return {**chosen.overrides, 'model.neck.depth': chosen.layers[row.depth], **row.overrides}


@pytest.mark.parametrize('name', PUBLISHED)
def test_rows_are_the_papers(plan, name):
    assert [row.paper for row in plan.tables[name].rows] == PUBLISHED[name]
    init_default_scope('mmpose')
    found = []
    for row in plan.tables[name].rows:
        config = load_config(ROOT / plan.scales['mini'].config, overrides(plan, 'mini', row))
        model = MODELS.build(config.model)
        terms = tuple(sorted(model.distiller.on.values())) if model.distiller else ()
        found.append((model.neck.num_cycles, len(model.neck.layers), model.head.supervise, terms))
    assert found == MEANING[name]
    assert plan.tables[name].read == ('last' if name == 'table6' else 'first')


# What trains in each row of the tables beyond the paper: cycles, terms, teacher, adapters, hooks.
PREDICTED, TRADED = (2, ('prediction',), 'last'), 'TeachingScheduleHook'
BEYOND = {
    'plain': (1, (), None, (), ()),
    'plain, time of SDPose': (1, (), None, (), ()),
    '2 cycles, pose losses': (2, (), None, (), ()),
    'SDPose': (2, ('query', 'visual'), 'next', (), ()),
    'A, predictions of the last cycle, traded': (*PREDICTED, (), (TRADED,)),
    'B, normalized tokens': (2, ('query', 'visual_content'), 'next', (), ()),
    'A + C, cycle embedding': (*PREDICTED, ('CycleEmbedding',), (TRADED,)),
    'A + C, cycle norms': (*PREDICTED, ('CycleNorm',), (TRADED,)),
    'A + C, cycle LoRA': (*PREDICTED, ('CycleLoRA',), (TRADED,)),
    'A + D, injection': (*PREDICTED, ('CycleInjection',), (TRADED,)),
    'A + F, random cycles': (*PREDICTED, (), (TRADED, 'RandomCyclesHook')),
    'A + C + D, norms and injection': (*PREDICTED, ('CycleInjection', 'CycleNorm'), (TRADED,)),
}
BEYOND_EPOCHS = {
    'plain, four passes': (1, (), None, (), ()),
    'plain, four passes, time of SDPose': (1, (), None, (), ()),
    'SDPose, four passes': (2, ('query', 'visual'), 'next', (), ()),
    'SDPose, pose loss of cycle 2 counts 0.8': (2, ('query', 'visual'), 'next', (), ()),
    'A, four passes': (*PREDICTED, (), (TRADED,)),
    'A + E, taught by an average of itself': (*PREDICTED, (), (TRADED, 'OwnTeacherHook')),
    'A + E, taught by a copy renewed every epoch': (*PREDICTED, (), (TRADED, 'OwnTeacherHook')),
    'A + I, second cycle from the second pass on': (*PREDICTED, (), (TRADED, 'CycleCurriculumHook')),
    'A + C, cycle coefficients': (*PREDICTED, ('CycleCoefficients',), (TRADED,)),
    'A, four cycles, gradients in the first and the last': (4, *PREDICTED[1:], (), (TRADED,)),
}
BEYOND_SIMCC = {
    'SimCC, plain': (1, (), None, (), ()),
    'SimCC, SDPose': (2, ('query', 'visual'), 'next', (), ()),
    'SimCC, A, predictions of the last cycle, traded': (*PREDICTED, (), (TRADED,)),
}


@pytest.mark.parametrize(
    ('name', 'wanted'), [('beyond', BEYOND), ('beyond_epochs', BEYOND_EPOCHS), ('beyond_simcc', BEYOND_SIMCC)]
)
def test_rows_beyond_the_paper_train_what_they_say(plan, name: str, wanted: dict):
    init_default_scope('mmpose')
    found = {}
    for row in plan.tables[name].rows:
        config = load_config(
            ROOT / row.configs.get('fresh', plan.scales['fresh'].config), overrides(plan, 'fresh', row)
        )
        model = MODELS.build(config.model)
        distiller, adapters = model.distiller, model.neck.cycle_adapter or ()
        found[row.name] = (
            model.neck.num_cycles,
            tuple(sorted(distiller.on.values())) if distiller else (),
            distiller.teacher if distiller else None,
            tuple(type(adapter).__name__ for adapter in adapters),
            tuple(hook.type for hook in config.get('custom_hooks') or ()),
        )
        assert len(model.neck.layers) == plan.scales['fresh'].layers['deep'] >= 4
        if distiller and 'SDPose' not in row.name:
            assert distiller.detach_teacher
        assert config.param_scheduler[-1].end == config.train_cfg.max_epochs
        one_pass, data = plan.scales['fresh'].overrides, config.train_dataloader
        assert data.batch_size == one_pass['train_dataloader.batch_size']
        people = data.dataset.indices * config.train_cfg.max_epochs
        longer = 1.45 if 'time of SDPose' in row.name else 1
        assert people == pytest.approx(longer * one_pass['train_dataloader.dataset.indices']), row.name
    assert found == wanted


def test_schedules_of_several_passes_end_with_them(plan):
    scale = plan.scales['fresh']
    for row in plan.tables['beyond_epochs'].rows:
        config = load_config(ROOT / scale.config, overrides(plan, 'fresh', row))
        for hook in config.get('custom_hooks') or ():
            if hook.type == 'TeachingScheduleHook':
                assert hook.epochs == config.train_cfg.max_epochs
        gamma = 0.8 if 'counts 0.8' in row.name else None
        assert (config.model.head.get('supervise') == dict(gamma=gamma)) is bool(gamma)


def test_tables_beyond_the_paper_share_their_trainings(plan):
    steps, time, longer = (plan.tables[name] for name in ('beyond', 'beyond_time', 'beyond_longer'))
    assert steps.rows == time.rows and (steps.reference, time.reference) == ('plain', 'plain, time of SDPose')
    (plain, long_plain, _, taught), key = steps.rows[:4], 'train_dataloader.dataset.indices'
    people = plan.scales['fresh'].overrides[key]
    assert long_plain.overrides == {**plain.overrides, key: pytest.approx(1.45 * people)}
    assert longer.rows[0].overrides == long_plain.overrides
    assert longer.rows[1].overrides == {**taught.overrides, key: long_plain.overrides[key]}
    # Nobody is seen twice: starter pictures hold 2.1 people.
    assert long_plain.overrides[key] < 2 * plan.scales['fresh'].data['synthetic_fresh'].draw['num_train']


def test_rows_near_the_end_of_learning_have_the_steps_they_say(plan):
    table, scale = plan.tables['beyond_flat'], plan.scales['fresh']
    plain, longer, taught = (row.overrides for row in table.rows)
    people = [row['train_dataloader.dataset.indices'] * row['train_cfg.max_epochs'] for row in (plain, longer, taught)]
    assert people[0] == people[2] == 4.5 * scale.overrides['train_dataloader.dataset.indices']
    assert people[1] == pytest.approx(1.45 * people[0])
    single = {key: value for key, value in plain.items() if key not in taught}
    assert plain == {**taught, **single} and single == plan.tables['beyond'].rows[0].overrides
    for row in table.rows:
        config = load_config(ROOT / scale.config, overrides(plan, 'fresh', row))
        assert config.param_scheduler[-1].end == config.param_scheduler[-1].T_max == config.train_cfg.max_epochs
        assert config.model.neck.depth == 4


def test_scales_end_where_their_schedule_does(plan):
    for scale in plan.scales.values():
        config = load_config(ROOT / scale.config, scale.overrides)
        assert config.param_scheduler[-1].end == config.train_cfg.max_epochs
        assert config.param_scheduler[-1].get('T_max', config.train_cfg.max_epochs) == config.train_cfg.max_epochs


def test_depths_of_the_full_scales_are_the_papers(plan):
    assert plan.scales['full'].layers == plan.scales['gpu'].layers == dict(deep=12, shallow=4)


def test_equal_trainings_share_a_folder_and_others_do_not(plan, tmp_path):
    run_folders = RunFolders(tmp_path)

    def folder(table, number, seed=0, **changes):
        row = plan.tables[table].rows[number]
        config = str(ROOT / plan.scales['mini'].config)
        options = {**overrides(plan, 'mini', row), **changes}
        return make_runs(config, options, seed + 1, run_folders, row.name, 'coco/AP')[seed].folder

    first = folder('table5', 0)
    assert first.parent.name.startswith('none-') and folder('table6', 1) == first
    assert folder('table5', 0, seed=1) == first.parent / 'seed1'
    first.mkdir(parents=True)
    run_folders = RunFolders(tmp_path)  # another start, which meets the rows in another order
    assert folder('table6', 1) == first
    distinct = {
        folder(name, number).parent.name.rsplit('-')[-1]
        for name in ('table5', 'table6', 'table7')
        for number in range(len(plan.tables[name].rows))
    }
    assert len(distinct) == 11
    assert folder('table5', 0, **{'train_cfg.max_epochs': 3}).parent != first.parent


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda raw: raw['tables']['table7'].update(red='first'), "key 'red' is unknown"),
        (
            lambda raw: raw['tables']['table7'].update(read='second'),
            "read 'second' is unknown; choose one of first, last",
        ),
        (lambda raw: raw['tables']['table7'].update(reference='2'), "reference '2' is unknown; choose one of 1 cycle"),
        (
            lambda raw: raw['tables']['table7']['rows'][0].update(depth='12'),
            "depth '12' is unknown; choose one of deep",
        ),
        (lambda raw: raw['tables']['table7']['rows'].append(dict(name='1 cycle')), "two rows are called '1 cycle'"),
        (lambda raw: raw['tables']['table7']['rows'][0].pop('name'), 'tables.table7.rows.0: name is missing'),
        (lambda raw: raw['scales']['mini']['layers'].pop('deep'), 'scales.mini.layers: deep is missing'),
        (lambda raw: raw['scales'].update(mini=3), 'scales.mini must be a mapping, not 3'),
        (lambda raw: raw['scales']['mini'].update(data=None), 'scales.mini: data is empty'),
        (lambda raw: raw.pop('metric'), 'metric is missing'),
        (lambda raw: raw.update(tables=[]), r'.tables must be a dict, not \[\]'),
        (
            lambda raw: raw['tables']['table7']['rows'][0].update(paper='n/a'),
            'rows.0.paper must be a number or None, not',
        ),
        (
            lambda raw: raw['tables']['table7']['rows'][0].update(overrides='x'),
            "rows.0.overrides must be a dict, not 'x'",
        ),
        (lambda raw: raw['scales']['mini'].update(data={}), 'scales.mini.data names no data set'),
        (lambda raw: raw['scales']['mini'].update(threads=0), 'threads must be whole numbers from 1, not 0'),
        (lambda raw: raw['scales']['mini']['layers'].update(deep='a'), "layers and .* from 1, not 'a'"),
        (
            lambda raw: raw['scales']['mini']['data']['synthetic']['draw'].update(people=3),
            "draw: key 'people' is unknown",
        ),
        (
            lambda raw: raw['scales']['mini']['data']['shapes']['shapes'].update(level='x'),
            "shapes: key 'level' is unknown",
        ),
        (
            lambda raw: raw['scales']['full']['data']['coco']['known']['train2017'].update(files=3),
            "key 'files' is unknown",
        ),
        (
            lambda raw: raw['tables']['table1']['rows'][3].update(configs=dict(mini='x.py')),
            'rows.3 is quoted, so it has',
        ),
        (
            lambda raw: raw['tables']['table1']['rows'][0].update(configs=dict(tiny='x.py')),
            "rows.0: scale 'tiny' is unk",
        ),
        (lambda raw: raw['tables']['table1']['rows'][0]['figures'].update(AP50='n/a'), 'figures.AP50 must be a number'),
        (
            lambda raw: raw['tables']['table9']['rows'][1].update(read='second'),
            "rows.1.read 'second' is unknown; choose",
        ),
        (
            lambda raw: raw['tables']['table4'].update(data=dict(full='coc')),
            "table4.data.full 'coc' is unknown; choose",
        ),
        (lambda raw: raw['tables']['table3'].update(unscored=['huge']), "table3.unscored: scale 'huge' is unknown"),
        (lambda raw: raw['tables']['table1']['rows'].append(dict(name='sdpose s v1')), 'two rows are called'),
    ],
)
def test_mistakes_are_named(tmp_path, change, message):
    raw = yaml.safe_load(SHIPPED.read_text())
    change(raw)
    path = tmp_path / 'tables.yml'
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(ConfigError, match=message) as caught:
        read_plan(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize('text', [None, 'tables: [', '\x00'])
def test_unreadable_files_are_named(tmp_path, text):
    path = tmp_path / 'tables.yml'
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=f'^{path} cannot be read: [^\n]*$'):
        read_plan(path)
