"""Config files that cannot be read are one line with the name of the innermost file, and the line where it fails."""

from pathlib import Path

import pytest
from mmengine.config import Config

import sdpose.compat
from sdpose.config.load import load_config
from sdpose.errors import ConfigError

sdpose.compat.apply()

FAULTS = {
    'division': ('a = 1\nb = a / 0', r'ZeroDivisionError: division by zero \(line 2'),
    'syntax': ('a = (', r"SyntaxError: '\(' was never closed \(line 1"),
    'exit': ('import sys\nsys.exit(3)', r'it ends Python \(sys.exit\).* \(line 2'),
    'plain exit': ('raise SystemExit', 'it ends Python'),
    'several lines': ('raise Exception("two\\nlines")', r'Exception: two \(line 1'),
    'depth': ('def f(): return f()\nf()', 'RecursionError'),
    'number': ('_base_ = 5', '_base_ is a path or a list of paths, not 5'),
    'nothing': ('_base_ = [None]', 'not None'),
    'absent': ("_base_ = 'gone.py'", 'its _base_ .*gone.py is no file'),
    'folder': ("_base_ = '.'", 'is no file'),
    'name': ('a = _base_.x', r"no attribute 'x' \(line 1"),
    'import': ('import no_such_module', None),
    'assertion': ('assert False', r'AssertionError \(line 1'),
    'null': ('a = 1\0', 'no text in UTF-8'),
    'reserved': ("filename = 'a'", 'reserved'),
    'variable': ("a = '{{$NO_SUCH_VARIABLE:}}'", 'NO_SUCH_VARIABLE'),
    'file': ("open('no such file')", r'FileNotFoundError.*\(line 1'),
}


@pytest.mark.parametrize('text, message', FAULTS.values(), ids=FAULTS)
def test_faults_name_the_file(tmp_path: Path, text: str, message: str | None) -> None:
    file, leaf = tmp_path / 'inner.py', tmp_path / 'leaf.py'
    file.write_text(text)
    leaf.write_text("_base_ = ['inner.py']")
    if message is None:  # MMEngine reads such imports, and runs none
        return
    for path in (file, leaf) if 'reserved' not in message else (file,):
        with pytest.raises(ConfigError, match=f'^config .*inner.py cannot be read: .*{message}') as caught:
            load_config(path)
        assert '\n' not in str(caught.value)
        assert ('a base of' in str(caught.value)) == (path == leaf and not text.startswith('_base_'))


@pytest.mark.parametrize('chain', [('a', 'a'), ('a', 'b', 'a'), ('a', 'b', 'c', 'b')])
def test_bases_in_a_circle(tmp_path: Path, chain: tuple) -> None:
    for name, base in zip(chain, chain[1:]):
        (tmp_path / f'{name}.py').write_text(f"_base_ = './{base}.py'")
    with pytest.raises(ConfigError, match=f'{chain[-2]}.py cannot be read: its _base_ leads back to .*{chain[-1]}.py$'):
        load_config(tmp_path / 'a.py')


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    (tmp_path / 'base.py').write_text('a = 1', encoding='utf-8-sig')
    (tmp_path / 'leaf.py').write_text("_base_ = 'base.py'\nb = 'ä'", encoding='utf-8-sig')
    assert load_config(tmp_path / 'leaf.py', {'a': 3}).to_dict() == dict(a=3, b='ä')


@pytest.mark.parametrize('encoding', ['utf-16', 'utf-16-le', 'latin-1'])
def test_other_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    (tmp_path / 'c.py').write_text("a = 'ä'", encoding=encoding)
    with pytest.raises(ConfigError, match='c.py cannot be read: it is no text in UTF-8'):
        load_config(tmp_path / 'c.py')


def test_who_reads_a_config_without_us_gets_the_line_too(tmp_path: Path) -> None:
    (tmp_path / 'c.py').write_text('a = 1 / 0')
    with pytest.raises(ConfigError, match='c.py cannot be read: ZeroDivisionError'):
        Config.fromfile(tmp_path / 'c.py')


def test_modules_that_a_config_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'a_broken_module.py').write_text('1 / 0')
    (tmp_path / 'c.py').write_text("custom_imports = dict(imports=['a_broken_module'])")
    with pytest.raises(ConfigError, match='c.py cannot be read: ZeroDivisionError'):
        load_config(tmp_path / 'c.py')


def test_ctrl_c_stays_what_it_is(tmp_path: Path) -> None:
    (tmp_path / 'c.py').write_text('raise KeyboardInterrupt')
    with pytest.raises(KeyboardInterrupt):
        load_config(tmp_path / 'c.py')


def test_a_package_that_python_does_not_find_is_said_with_where_it_looks(tmp_path: Path) -> None:
    (tmp_path / 'a.py').write_text("custom_imports = dict(imports=['sdpose', 'no_such_parts'])")
    with pytest.raises(ConfigError, match='a.py cannot be read: custom_imports: .*no_such_parts') as caught:
        load_config(tmp_path / 'a.py')
    said = str(caught.value)
    assert said.endswith('PYTHONPATH names: PYTHONPATH=FOLDER python ...)') and '\n' not in said


def test_another_kind_of_file_is_no_config(tmp_path: Path) -> None:
    (tmp_path / 'epoch_1.pth').touch()
    with pytest.raises(ConfigError, match='epoch_1.pth: a config ends in .py, .* take the config before it$'):
        load_config(tmp_path / 'epoch_1.pth')
