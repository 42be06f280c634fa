"""References to variables of a config, filled in after everything has been merged."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.errors import ConfigError

BASE = """
size = (24, 32)
codec = dict(input_size='${size}', heatmap_size='${codec.input_size // 4}')
root = 'data/'
steps = [dict(a='${size.0}'), dict(codec='${codec}')]
shape = dict()
read = dict(steps='${steps}', file='${root}x.json', codec='${codec}', shape='${shape}')
"""


@pytest.fixture
def leaf(tmp_path: Path):
    (tmp_path / 'base.py').write_text(BASE)

    def write(text: str) -> Path:
        (tmp_path / 'leaf.py').write_text(f"_base_ = 'base.py'\n{text}\n")
        return tmp_path / 'leaf.py'

    return write


def test_what_a_leaf_sets_reaches_everything(leaf) -> None:
    for read in (load_config, Config.fromfile):
        cfg = read(leaf("size = (48, 64)\nroot = '/my data'"))
        assert cfg.codec == dict(input_size=(48, 64), heatmap_size=(12, 16))
        assert cfg.read.steps == [dict(a=48), dict(codec=cfg.codec)] and cfg.read.file == '/my data/x.json'


def test_a_variable_that_two_files_set(leaf, tmp_path: Path) -> None:
    middle = leaf("size = (8, 16)\nroot = 'middle/'").rename(tmp_path / 'middle.py')
    last = tmp_path / 'last.py'
    last.write_text(f"_base_ = '{middle}'\nroot = 'last/'")
    assert load_config(last).read.file == 'last/x.json' and load_config(last).codec.heatmap_size == (2, 4)


def test_a_dict_lies_over_what_a_reference_stands_for(leaf) -> None:
    cfg = load_config(
        leaf('size = (48, 64)\nshape = dict(more=dict(a=1))\nread = dict(codec=dict(sigma=2), shape=dict(b=2))')
    )
    assert cfg.read.codec == dict(input_size=(48, 64), heatmap_size=(12, 16), sigma=2)
    assert cfg.read.shape == dict(more=dict(a=1), b=2) and 'sigma' not in cfg.codec
    cfg = load_config(leaf('read = dict(codec=dict(_delete_=True, sigma=2))'))
    assert cfg.read.codec == dict(sigma=2)


def test_options_reach_everything_and_single_places(leaf) -> None:
    cfg = load_config(leaf(''), {'codec.input_size': [8, 16], 'read.steps.0.a': 5, 'root': 'r'})
    assert cfg.read.steps == [dict(a=5), dict(codec=cfg.codec)] and cfg.read.file == 'r/x.json'
    assert cfg.codec == dict(input_size=[8, 16], heatmap_size=[2, 4])
    assert cfg.steps[0].a == 24


def test_copies_are_independent(leaf) -> None:
    cfg = load_config(leaf(''))
    cfg.read.steps[1].codec.input_size = None
    assert cfg.codec.input_size == cfg.steps[1].codec.input_size == (24, 32)


@pytest.mark.parametrize(
    'text, message',
    [
        ("x = '${sice}'", r'x: \$\{sice\} is no variable of this config; did you mean size'),
        ("x = [dict(y='${codec.input}')]", r'x\.0\.y: \$\{codec\.input\} is no variable'),
        ("a = '${b}'\nb = ['${a}']", r'\$\{[ab]\} refers to itself'),
        ('size = (26, 32)', r'codec\.heatmap_size: codec\.input_size must be made of multiples of 4, is \(26, 32\)'),
        ("size = 'large'", r'must be made of multiples of 4'),
        ('root = 5', r"read\.file: \$\{root\} is the folder before 'x\.json', but is 5"),
    ],
)
def test_wrong_references(leaf, text: str, message: str) -> None:
    for read in (load_config, Config.fromfile):
        with pytest.raises(ConfigError, match=f'leaf.py: .*{message}'):
            read(leaf(text))


def test_other_text_is_left_alone(leaf) -> None:
    values = ['$HOME/x', '${HOME:-x}', 'a ${size}', '{size}', '${1}']
    assert load_config(leaf(f'x = {values!r}')).x == values


@pytest.mark.parametrize(
    'before',
    ['import sdpose', 'import mmengine.config, sdpose', 'import mmengine.config', 'import mmpose'],
    ids=['sdpose', 'mmengine, sdpose', 'mmengine', 'mmpose'],
)
def test_mmengine_alone_fills_them_in(before: str, repo_root: Path) -> None:
    """Also where the config's own ``custom_imports`` is what imports the package."""
    name = repo_root / 'configs/sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-384x288.py'
    code = (
        f'{before}\nfrom mmengine.config import Config\ncfg = Config.fromfile({str(name)!r})\n'
        'assert "${" not in cfg.pretty_text\n'
        'assert cfg.model.neck.feature_size == cfg.model.head.decoder.heatmap_size == (72, 96)\n'
    )
    subprocess.run([sys.executable, '-c', code], check=True)


def test_a_shipped_config_at_another_size(repo_root: Path) -> None:
    cfg = load_config('sdpose-s-v1_stemnet_8xb64-300e_coco-256x192', {'codec.input_size': [96, 128]})
    assert [*cfg.model.neck.feature_size] == [*cfg.codec.heatmap_size] == [24, 32]
    for split in ('train', 'val', 'test'):
        for step in cfg[f'{split}_dataloader'].dataset.pipeline:
            assert [*step.get('input_size', (96, 128))] == [96, 128]
            assert step.get('encoder', cfg.codec) == cfg.codec
