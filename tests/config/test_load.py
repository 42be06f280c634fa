"""Config files and overrides of their keys."""

from pathlib import Path

import pytest
from mmpose.registry import MODELS

import sdpose  # noqa: F401
from sdpose.config import load
from sdpose.config.building import building
from sdpose.config.load import check_arguments, load_config
from sdpose.config.nodes import as_list, resolve_type, with_metrics
from sdpose.config.values import parse_value
from sdpose.errors import ConfigError


def _file(folder: Path, text: str) -> Path:
    (folder / 'c.py').write_text(text)
    return folder / 'c.py'


@pytest.mark.parametrize(
    'text, message',
    [
        ('a = (', 'c.py cannot be read: SyntaxError'),
        ("_base_ = ['gone.py']", 'c.py cannot be read: .*gone.py'),
        ("custom_imports = dict(imports=['no_such_module'])", 'c.py cannot be read: custom_imports: ImportError'),
    ],
)
def test_unreadable_configs(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(_file(tmp_path, text))


def test_overrides_replace_values_and_reach_into_lists(tmp_path: Path) -> None:
    cfg = load_config(_file(tmp_path, 'a = dict(b=1)\nc = [dict(d=2)]'), {'a.b': 5, 'c.0.d': 6})
    assert (cfg.a.b, cfg.c[0].d) == (5, 6)


def test_a_new_key_is_pointed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    monkeypatch.setattr(load, 'print_log', lambda message, *_: said.append(message))
    cfg = load_config(_file(tmp_path, 'a = dict(b=1)'), {'a.bb': 5, 'a.b': 2})
    assert (cfg.a.bb, cfg.a.b) == (5, 2)
    assert len(said) == 1
    assert '--cfg-options a.bb is new to this config' in said[0]


@pytest.mark.parametrize(
    'key, meant',
    [('a.loss_visul', 'a.loss_visual'), ('optim_wraper.x', 'optim_wrapper'), ('c.0.milestone', 'c.0.milestones')],
)
def test_a_misspelt_key_is_refused(tmp_path: Path, key: str, meant: str) -> None:
    path = _file(tmp_path, 'a = dict(loss_visual=1)\noptim_wrapper = 1\nc = [dict(milestones=[2])]')
    with pytest.raises(ConfigError, match=f'--cfg-options {key}: the config has no such key; did you mean {meant}\\?'):
        load_config(path, {key: None})


def test_an_override_that_fits_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='--cfg-options c.3.d=1 does not fit the config'):
        load_config(_file(tmp_path, 'c = [dict(d=2)]'), {'c.3.d': 1})


def test_a_key_of_a_value_without_keys(tmp_path: Path) -> None:
    path = _file(tmp_path, "head = dict(supervise='all')")
    with pytest.raises(ConfigError, match=r"^head.supervise is 'all', which has no keys: give the whole") as caught:
        load_config(path, {'head.supervise.gamma': 0.8})
    whole = str(caught.value).split('"')[1].partition('=')[2]
    assert load_config(path, {'head.supervise': parse_value(whole)}).head.supervise == dict(gamma=0.8)


def test_unknown_arguments_are_found_at_any_depth() -> None:
    good = dict(type='TokenPoseHead', in_channels=8, decoder=dict(type='MSRAHeatmap', sigma=2))
    check_arguments(dict(model=dict(head=good)))
    with pytest.raises(
        ConfigError,
        match=r"model.head: TokenPoseHead has no argument 'in_chanels'; did you mean "
        r"'in_channels'\?",
    ):
        check_arguments(dict(model=dict(head=dict(good, in_chanels=8))))
    with pytest.raises(ConfigError, match=r"model.head.decoder: MSRAHeatmap has no argument 'sigmas'"):
        check_arguments(dict(model=dict(head=dict(good, decoder=dict(type='MSRAHeatmap', sigmas=2)))))
    with pytest.raises(ConfigError, match=r"pipe.1: ClippedNormalBBoxTransform has no argument 'scale_prob'"):
        check_arguments(dict(pipe=[dict(type='RandomFlip'), dict(type='ClippedNormalBBoxTransform', scale_prob=1)]))


def test_a_schedule_knows_its_keys() -> None:
    check_arguments(
        dict(
            s=[
                dict(type='LinearLR', begin=0, end=5, start_factor=0.1, by_epoch=True, convert_to_iter_based=True),
                dict(type='MultiStepLR', milestones=[3], gamma=0.1),
            ]
        )
    )
    with pytest.raises(ConfigError, match="s.0: CosineAnnealingLR has no argument 'milestones'"):
        check_arguments(dict(s=[dict(type='CosineAnnealingLR', T_max=3, milestones=[2])]))


def test_parts_of_other_libraries_are_left_to_them() -> None:
    check_arguments(dict(norm_cfg=dict(type='BN', requires_grad=True), optimizer=dict(type='Adam', lr=1)))


def test_refused_values_become_config_errors_and_defects_do_not() -> None:
    with pytest.raises(ConfigError, match='no such size'), building():
        raise ValueError('no such size')
    with pytest.raises(ConfigError, match='^X is not in the mmpose::model registry'), building():
        raise KeyError('X is not in the mmpose::model registry. Please check whether')
    with pytest.raises(KeyError), building():
        raise KeyError('a')
    with pytest.raises(TypeError), building():
        raise TypeError('a defect')


@pytest.mark.parametrize(
    'part, message',
    [
        (dict(type='TokenPruner', keep_ratio='abc'), "m.keep_ratio must be a number for TokenPruner, not 'abc'"),
        (dict(type='TokenPruner', keep_ratio=True), 'm.keep_ratio must be a number for TokenPruner, not True'),
        (dict(type='TokenPruner', layers=3), r'm.layers must be a list \(a whole number each\) for TokenPruner, not 3'),
        (dict(type='TokenPruner', cycles=[1.5]), r'm.cycles must be a list .* or None for TokenPruner, not \[1.5\]'),
        (dict(type='MultiCycledTransformer', depth=2.5), 'm.depth must be a whole number for .*, not 2.5'),
        (
            dict(type='MultiCycledTransformer', patch_size=(4, 3, 2)),
            r'm.patch_size must be \(a whole number, a whole number\) for MultiCycledTransformer, not \(4, 3, 2\)',
        ),
        (dict(type='SelfDistiller', terms=[]), r'm.terms must be a dict for SelfDistiller, not \[\]'),
        (dict(type='SelfDistiller', detach_teacher='yes'), "m.detach_teacher must be True or False .* not 'yes'"),
        (dict(type='DistillPoseEstimator', distiller='self'), "m.distiller must be a dict or None .* not 'self'"),
    ],
)
def test_a_value_of_another_type(part: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_arguments(dict(m=part))


def test_values_that_a_type_takes() -> None:
    check_arguments(dict(m=dict(type='TokenPruner', keep_ratio=1, layers=[1, 2], cycles=None)))
    check_arguments(dict(m=dict(type='MultiCycledTransformer', patch_size=[4, 3], attention_scale=None, mlp_ratio=3)))
    check_arguments(dict(m=dict(type='LimbVectorLoss', limbs=[(0, 1), [1, 2]])))


def test_a_missing_argument_is_a_mistake_in_the_config() -> None:
    with pytest.raises(ConfigError, match="missing 1 required positional argument: 'in_channels'"), building():
        MODELS.build(dict(type='TokenPoseHead', decoder=dict(type='MSRAHeatmap', heatmap_size=(4, 4))))


@pytest.mark.parametrize('word', ['', 'upper', 'a hand', 'no.such.module', '3', 'RandomFlip'])
def test_a_type_in_data_is_a_word(tmp_path: Path, word: str) -> None:
    """Beside a joint's name stands the half of its body; MMEngine would look for a class, or import a module."""
    info = dict(keypoint_info={0: dict(name='a', type=word, swap='b')})
    text = f'dataset_info = {info!r}\ntrain_dataloader = dict(dataset=dict(type="CocoDataset", metainfo=dataset_info))'
    assert load_config(_file(tmp_path, text)).dataset_info.keypoint_info[0].type == word
    if word != 'RandomFlip':
        check_arguments(dict(anything=dict(type=word, further=1)))


def test_a_part_is_no_module_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'hand.py').write_text('raise AssertionError("imported")')
    monkeypatch.syspath_prepend(tmp_path)
    assert resolve_type(dict(type='hand'), MODELS) is None
    assert resolve_type(dict(type='mmpose.ResNet'), MODELS) is resolve_type(dict(type='ResNet'), MODELS) is not None


def test_an_evaluator_may_hold_metrics() -> None:
    one, other = dict(type='CocoMetric'), dict(type='PCKAccuracy')
    several = dict(type='MultiDatasetEvaluator', metrics=[one, other], datasets=[{}, {}])
    assert [as_list(each) for each in (None, one, [one, other], several)] == [[], [one], [one, other], [one, other]]
    assert with_metrics(several, [one]) == dict(several, metrics=[one]) and with_metrics(one, [other]) == [other]


@pytest.mark.parametrize(
    'dataset, place',
    [
        ("dict(type='RepeatDataset', times=2, dataset=5)", 'dataset.dataset must be a dict, not 5'),
        ("dict(type='ConcatDataset', datasets=[dict(), 5])", 'dataset.datasets.1 must be a dict, not 5'),
        ("dict(type='ConcatDataset', datasets=5)", 'dataset.datasets must be a list, not 5'),
        ('dict(pipeline=5)', 'dataset.pipeline must be a list of steps, not 5'),
        ('dict(pipeline=[5])', 'dataset.pipeline.0 must be a step, a dict, not 5'),
        ('dict(dataset=dict(ann_file=5))', 'dataset.dataset.ann_file must be a path, not 5'),
    ],
)
def test_data_sets_below_others_have_a_form(tmp_path: Path, dataset: str, place: str) -> None:
    with pytest.raises(ConfigError, match=f'train_dataloader.{place}'):
        load_config(_file(tmp_path, f'train_dataloader = dict(dataset={dataset})'))
