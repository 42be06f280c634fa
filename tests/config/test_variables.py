"""An option reaches all that a config computes from its key, whoever's config it is."""

from pathlib import Path
from typing import Any

import pytest

import sdpose  # noqa: F401
from sdpose.config import load, overrides
from sdpose.config.find import config_dir
from sdpose.config.load import load_config
from sdpose.config.variables import RUN_KEYS, differences, replaced
from sdpose.errors import ConfigError

TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
STOCK = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_res50_8xb64-210e_coco-256x192.py'
COCO = 'sdpose-s-v1_stemnet_8xb64-300e_coco-256x192'


def _write(folder: Path, **files: str) -> Path:
    """Write files, ``.py`` but for names with an underscore and another ending; the last one."""
    for name, text in files.items():
        path = folder / (name.replace('__', '.') if '__' in name else f'{name}.py')
        path.write_text(text)
    return path


def test_a_variable_of_a_base_reaches_schedule_and_loop() -> None:
    cfg = load_config(TINY, {'max_epochs': 2})
    assert (cfg.train_cfg.max_epochs, cfg.param_scheduler[1].end, cfg.param_scheduler[1].T_max) == (2, 2, 2)


def test_a_codec_reaches_pipelines_target_and_decoder() -> None:
    cfg = load_config(TINY, {'codec.input_size': (96, 128), 'codec.heatmap_size': (24, 32), 'codec.sigma': 3})
    steps = cfg.train_dataloader.dataset.pipeline
    target = next(step.encoder for step in steps if 'encoder' in step)
    for made in (target, cfg.model.head.decoder):
        assert (made.input_size, made.heatmap_size, made.sigma) == ((96, 128), (24, 32), 3)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert [s.input_size for s in loader.dataset.pipeline if s.type == 'TopdownAffine'] == [(96, 128)]


@pytest.mark.parametrize('root', ['/my data/a,b', '/my data/a,b/', Path('/my data/a,b')])
def test_a_folder_keeps_its_slash(root: Any) -> None:
    cfg = load_config(TINY, {'data_root': root})
    assert cfg.train_dataloader.dataset.data_root == '/my data/a,b/'
    assert cfg.test_evaluator.ann_file == '/my data/a,b/annotations/val.json'


def test_paths_that_a_config_writes_out_move_with_their_folder(tmp_path: Path) -> None:
    leaf = _write(
        tmp_path,
        base="data_root = 'data/'\ntrain_dataloader = dict(dataset=dict(data_root=data_root, bbox_file='data/b.json'))",
        leaf="_base_ = 'base.py'",
    )
    dataset = load_config(leaf, {'data_root': 'data/inner'}).train_dataloader.dataset
    assert dataset == dict(data_root='data/inner/', bbox_file='data/inner/b.json')


def test_lists_and_parts_follow_too() -> None:
    cfg = load_config(TINY, {'train_pipeline.1.padding': 1.5, 'self_distiller.detach_teacher': True})
    assert cfg.train_dataloader.dataset.pipeline[1].padding == 1.5
    assert cfg.model.distiller.detach_teacher is True


OWN = {
    'functions and comprehensions': (
        'lr = 1.0\ndef twice(): return 2 * lr\nmodel = dict(a=twice(), b=[k * lr for k in (1, 3)])',
        {},
        {'lr': 2.0},
        dict(a=4.0, b=[2.0, 6.0]),
    ),
    'several at once': ('a, (b, c) = 1, (2, 3)\nmodel = dict(x=a + b + c)', {}, {'b': 10, 'c': 20}, dict(x=31)),
    'changed in place': (
        "sizes = dict(a=1)\nsizes['a'] = 2\nsizes.update(b=3)\nmodel = dict(sizes)",
        {},
        {'sizes.a': 7},
        dict(a=7, b=3),
    ),
    'of a base': (
        "_base_ = 'base.py'\nmodel = dict(x=_base_.width * 2)",
        dict(base='width = 3'),
        {'width': 5},
        dict(x=10),
    ),
    'by the old braces': (
        "_base_ = 'base.py'\nmodel = dict(x={{_base_.part}})",
        dict(base='part = dict(w=3, v=1)'),
        {'part.w': 5},
        dict(x=dict(w=5, v=1)),
    ),
    'set anew': (
        "_base_ = 'base.py'\nwidth = 4\nmodel = dict(x=width)",
        dict(base='width = 3\nmodel = dict(y=width)'),
        {'width': 5},
        dict(x=5, y=5),
    ),
    'yaml': ("_base_ = 'base.yml'\nmodel = dict(x=_base_.width)", dict(base__yml='width: 3'), {'width': 5}, dict(x=5)),
    'imports': (
        'from mmengine.config import read_base\nwith read_base():\n    from .base import *\nmodel.update(y=width)',
        dict(base='width = 3\nmodel = dict(x=width)'),
        {'width': 5},
        dict(x=5, y=5),
    ),
    'a new entry': (
        "_base_ = 'base.py'\nmodel = dict(x=_base_.part)",
        dict(base='part = dict(w=3)'),
        {'part.v': 1},
        dict(x=dict(w=3, v=1)),
    ),
}


@pytest.mark.parametrize('text, bases, options, model', OWN.values(), ids=OWN)
def test_variables_of_ones_own(tmp_path: Path, text: str, bases: dict, options: dict, model: dict) -> None:
    leaf = _write(tmp_path, **bases, leaf=text)
    cfg = load_config(leaf, options)
    assert cfg.model.to_dict() == model


def test_an_option_is_what_the_file_would_say(tmp_path: Path) -> None:
    """Each variable of every config, changed by an option and in the text of its file, gives the same."""
    base = config_dir() / '_base_/schedules/adam_30e.py'
    text = base.read_text()
    leaf = _write(tmp_path, leaf=text.replace('max_epochs = 30', 'max_epochs = 4'))
    assert load_config(base, {'max_epochs': 4}).to_dict() == load_config(leaf).to_dict()


def test_what_a_config_takes_from_a_part_may_be_taken_away() -> None:
    """The leaf writes into the hook that the option removes; other options reach what they should all the same."""
    cfg = load_config('sdpose-deit-mini_1xb64-30e_shapes-40x40', {'default_hooks.checkpoint': None, 'num_classes': 5})
    assert cfg.default_hooks.checkpoint is None
    assert cfg.model.head.num_classes == 5


def test_a_variable_that_nothing_follows_names_the_key_to_use(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='--cfg-options max_epochs: nothing that a run .*; set train_cfg.max_epochs$'):
        load_config(COCO, {'max_epochs': 2})
    text = "codec = dict(type='MSRAHeatmap', sigma=2)\nlr = 3\noptim_wrapper = dict(lr=1)\n"
    text += "model = dict(decoder=dict(type='MSRAHeatmap', sigma=1), own=dict(sigma=2))"
    leaf = _write(tmp_path, leaf=text)
    with pytest.raises(ConfigError, match='codec.sigma: nothing .*; set model.decoder.sigma$'):
        load_config(leaf, {'codec.sigma': 3})
    faster = _write(tmp_path, leaf=text.replace('MSRAHeatmap', 'BatchMSRAHeatmap', 1))  # whose base is the other
    with pytest.raises(ConfigError, match='codec.sigma: nothing .*; set model.decoder.sigma$'):
        load_config(faster, {'codec.sigma': 3})
    load_config(leaf, {'codec.sigma': 2, 'lr': 4})  # as it is; something else, by its value
    with pytest.raises(ConfigError, match='lr: nothing .*; set optim_wrapper.lr$'):
        load_config(_write(tmp_path, leaf='lr = 1\noptim_wrapper = dict(lr=1)'), {'lr': 4})


@pytest.mark.parametrize(
    'text, name, kept',
    [
        ('codec = dict(input_size=(288, 384), heatmap_size=(72, 96))', 'codec', 'model.head.decoder.input_size'),
        ("data_root = '/mine/'", 'data_root', 'train_dataloader.dataset.data_root'),
        ("dataset_type = 'CrowdPoseDataset'", 'dataset_type', 'train_dataloader.dataset.type'),
    ],
)
def test_a_leaf_that_comes_too_late_is_refused(tmp_path: Path, text: str, name: str, kept: str) -> None:
    leaf = _write(tmp_path, leaf=f"_base_ = '{STOCK}'\n{text}\n")
    with pytest.raises(
        ConfigError, match=f'leaf.py sets {name}, but its bases .* stays in {kept}.*--cfg-options "{name}'
    ):
        load_config(leaf)


def test_a_leaf_that_uses_what_it_sets_is_none_of_these(tmp_path: Path) -> None:
    base = "_base_ = 'base.py'\n"
    _write(tmp_path, base='root = 1\nmodel = dict(a=root, b=root)\ndata_hint = 1\nunused = 2')
    for text in (
        'root = 2\nmodel = dict(a=root)',
        'root = 2\nmodel = dict(a=2, b=2)',
        'root = 1',
        'def f(): return root\nroot = 2',
        'data_hint = 2\nunused = 3\nmodel = dict(a=5)',
    ):
        load_config(_write(tmp_path, leaf=base + text))
    _write(tmp_path, middle=base + 'root = 2')
    load_config(_write(tmp_path, leaf="_base_ = 'middle.py'\nmodel = dict(b=_base_.root)"))
    with pytest.raises(ConfigError, match='middle.py sets root'):
        load_config(_write(tmp_path, leaf="_base_ = 'middle.py'"))


@pytest.mark.parametrize(
    'options, key, value',
    [
        (
            {'optim_wrapper.type': 'AmpOptimWrapper', 'optim_wrapper.dtype': 'bfloat16'},
            'optim_wrapper.dtype',
            'bfloat16',
        ),
        (
            {'optim_wrapper.dtype': 'bfloat16', 'optim_wrapper.type': 'AmpOptimWrapper'},
            'optim_wrapper.dtype',
            'bfloat16',
        ),
        ({'a.b.type': 'SGD', 'a.b.typee': 1, 'a.b.momentum': 0.9}, None, None),
        (
            {'optim_wrapper.optimizer': dict(type='SGD'), 'optim_wrapper.optimizer.momentum': 0.9},
            'optim_wrapper.optimizer.momentum',
            0.9,
        ),
        ({'train_cfg.type': 'IterBasedTrainLoop', 'train_cfg.max_iters': 9}, 'train_cfg.max_iters', 9),
        ({'train_dataloader.prefetch_factor': 4}, 'train_dataloader.prefetch_factor', 4),
    ],
)
def test_arguments_of_the_type_that_is_set_are_not_misspelt(
    options: dict, key: str | None, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(load, 'print_log', lambda message, *_: said.append(message))
    if key is None:
        load_config(TINY, options)
        return
    node: Any = load_config(TINY, options)
    for part in key.split('.'):
        node = node[part]
    assert node == value and said == []


def test_parts_in_lists_come_from_the_command_line() -> None:
    assert load_config(TINY, {'custom_hooks': [dict(type='EMAHook')]}).custom_hooks[0].type == 'EMAHook'


def test_words_with_commas_for_a_list() -> None:
    cfg = load_config(TINY, {'custom_imports.imports': 'sdpose,json', 'data_hint': 'a,b'})
    assert cfg.custom_imports.imports == ['sdpose', 'json'] and cfg.data_hint == 'a,b'


def test_replaced_leaves_what_it_is_given() -> None:
    old = dict(a=[dict(b=1)], c=2)
    assert replaced(old, ['a', '0', 'b'], 3) == dict(a=[dict(b=3)], c=2)
    assert old == dict(a=[dict(b=1)], c=2)
    assert replaced(old, ['c'], 2) is old and replaced(old, ['x', 'y'], 2) is old
    assert replaced(old, ['a'], dict(_delete_=True, z=1)) == dict(a=dict(z=1), c=2)


def test_differences_are_the_deepest_keys() -> None:
    assert differences(dict(a=[dict(b=1)], c=(1, 2)), dict(a=[dict(b=2)], c=(1, 3), d=None)) == ['a.0.b', 'c', 'd']


def test_run_keys_are_what_a_runner_reads() -> None:
    import inspect

    from mmengine.runner import Runner

    assert set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'} == RUN_KEYS


def test_a_variable_that_nothing_follows_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(overrides, 'print_log', lambda text, *_: said.append(text))
    (tmp_path / 'c.py').write_text('width = 5\nsteps = []\nmodel = dict(a=width)')
    load_config(tmp_path / 'c.py', {'steps': [1], 'width': 6})
    assert len(said) == 1 and said[0].startswith('--cfg-options steps: nothing that a run reads')
