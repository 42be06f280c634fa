"""Where each key of a config comes from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sdpose.config.origins import key_origins
from sdpose.errors import ConfigError

_BASE = """
size = (48, 64)
codec = dict(type='MSRAHeatmap', input_size='${size}', sigma=2)
steps = [dict(type='LoadImage'), dict(type='TopdownAffine', input_size='${size}')]
model = dict(neck=dict(depth=4, dim=8, cut='${codec.input_size // 4}'), head=dict(a=1, b=2))
numbers = [1, 2, 3]
"""
_LEAF = """
_base_ = ['base.py']
size = (96, 128)
model = dict(neck=dict(depth=6), head=dict(_delete_=True, c=3))
"""


@pytest.fixture
def leaf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'base.py').write_text(_BASE)
    (tmp_path / 'leaf.py').write_text(_LEAF)
    return tmp_path / 'leaf.py'


def test_each_key_names_its_file(leaf: Path) -> None:
    found = {each.key: each[1:] for each in key_origins('leaf.py', {'codec.sigma': 3, 'model.new': dict(d=4)})}
    assert found == {
        'size': ((96, 128), 'leaf.py', ''),
        'codec.type': ('MSRAHeatmap', 'base.py', ''),
        'codec.input_size': ((96, 128), 'base.py', '${size}'),
        'codec.sigma': (3, '--cfg-options', ''),
        'steps.0.type': ('LoadImage', 'base.py', ''),
        'steps.1.type': ('TopdownAffine', 'base.py', ''),
        'steps.1.input_size': ((96, 128), 'base.py', '${size}'),
        'model.neck.depth': (6, 'leaf.py', ''),
        'model.neck.dim': (8, 'base.py', ''),
        'model.neck.cut': ((24, 32), 'base.py', '${codec.input_size // 4}'),
        'model.head.c': (3, 'leaf.py', ''),
        'model.new.d': (4, '--cfg-options', ''),
        'numbers': ([1, 2, 3], 'base.py', ''),
    }


def test_a_part_behind_a_reference_comes_from_who_refers_to_it() -> None:
    found = {each.key: each for each in key_origins('sdpose-ppt-tiny_stemnet_1xb32-30e_synthetic-64x48')}
    sigma = found['model.head.decoder.sigma']
    assert sigma.source == 'configs/_base_/models/tokenpose_stemnet.py' and sigma.reference == '${codec}'
    assert found['model.neck.num_cycles'].source.startswith('configs/quick_start/sdpose-ppt-tiny')


def test_a_config_that_cannot_be_read(leaf: Path) -> None:
    leaf.write_text('a = (')
    with pytest.raises(ConfigError, match='leaf.py cannot be read: SyntaxError'):
        key_origins('leaf.py')


@pytest.mark.long
def test_the_tool(leaf: Path, run_tool: Callable) -> None:
    tool = 'tools/misc/print_config.py'
    done = run_tool(tool, 'leaf.py', 'model.neck', 'numbers', cwd=leaf.parent, check=True)
    assert sorted(done.stdout.splitlines()) == [
        'model.neck.cut = (24, 32)  # base.py, ${codec.input_size // 4}',
        'model.neck.depth = 6  # leaf.py',
        'model.neck.dim = 8  # base.py',
        'numbers = [1, 2, 3]  # base.py',
    ]
    done = run_tool(tool, 'leaf.py', 'model.nec', cwd=leaf.parent)
    assert done.returncode == 2
    assert 'error: leaf.py has no key model.nec; its keys begin with ' in done.stderr
    done = run_tool(tool, 'leaf.py', '--python', '--cfg-options', 'size=48,64', cwd=leaf.parent, check=True)
    written: dict = {}
    exec(done.stdout, written)  # of our own config
    assert written['codec']['input_size'] == [48, 64] and written['model']['neck']['cut'] == [12, 16]
