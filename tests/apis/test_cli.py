"""Exit statuses of the tools."""

import argparse
import errno
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sdpose.apis import cli
from sdpose.errors import CheckpointError, Stopped, UserError
from sdpose.io.atomic import atomic_write
from sdpose.io.folders import require_writable


@pytest.fixture(autouse=True)
def own_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of pytest may be empty."""
    monkeypatch.setattr('sys.argv', ['t'])


def _raising(error: BaseException):

    def command() -> None:
        raise error

    return command


def test_success_is_0() -> None:
    assert cli.run(lambda: None) == 0


@pytest.mark.parametrize('error', [UserError('a: wrong'), CheckpointError('a: wrong')])
def test_user_errors_are_one_line_and_2(error: Exception, capsys: pytest.CaptureFixture) -> None:
    assert cli.run(_raising(error)) == 2
    assert capsys.readouterr().err == 'error: a: wrong\n'


def test_streams_of_other_libraries_stay_open(tmp_path: Path) -> None:
    with open(tmp_path / 'log.txt', 'w') as file:
        handler = logging.StreamHandler(file)
        handler.close = file.close  # type: ignore[method-assign]  # as absl's does
        logging.getLogger('other').addHandler(handler)
        logging.getLogger('other').warning('said')
        assert cli.run(_raising(UserError('a: wrong'))) == 2
        assert not file.closed and (tmp_path / 'log.txt').read_text() == 'said\n'
        logging.getLogger('other').removeHandler(handler)


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture) -> None:
    assert cli.run(_raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == 'stopped\n'


@pytest.mark.parametrize('argv, place', [(['t', '--out', ''], '--out'), (['t', '--out='], '--out'), (['t', ''], 't')])
def test_an_empty_argument_is_no_folder(
    argv: list[str], place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr('sys.argv', argv)
    assert cli.run(_raising(ZeroDivisionError())) == 2
    assert (
        capsys.readouterr().err == f'error: the argument behind {place} is empty: is a variable of the shell not set?\n'
    )
    monkeypatch.setattr('sys.argv', ['t', '--cfg-options', 'a=', '--out=b='])
    with pytest.raises(ZeroDivisionError):
        cli.run(_raising(ZeroDivisionError()))


@pytest.mark.parametrize('number, name', [(15, 'SIGTERM'), (1, 'SIGHUP')])
def test_a_signal_is_128_and_its_number(number: int, name: str, capsys: pytest.CaptureFixture) -> None:
    assert cli.run(_raising(Stopped(number, 'a.pth')), after_stop='; go on') == 128 + number
    assert capsys.readouterr().err == f'stopped by {name}; saved as a.pth; go on\n'


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_one_line_and_2(number: int, capsys: pytest.CaptureFixture) -> None:
    assert cli.run(_raising(OSError(number, 'no room', 'work/a.pth'))) == 2
    assert capsys.readouterr().err.startswith('error: work/a.pth could not be written: no room. ')


def test_a_file_in_the_way_is_one_line_and_2(capsys: pytest.CaptureFixture) -> None:
    assert cli.run(_raising(NotADirectoryError(errno.ENOTDIR, 'Not a directory', 'a_file/x'))) == 2
    assert capsys.readouterr().err.startswith('error: a_file/x: Not a directory')


def test_a_tool_that_fails_leaves_no_empty_folder(tmp_path: Path) -> None:
    def fail() -> None:
        require_writable(tmp_path / 'a/b', '--out')
        raise UserError('no such checkpoint')

    assert cli.run(fail) == 2
    assert list(tmp_path.iterdir()) == []


def test_defects_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        cli.run(_raising(ZeroDivisionError()))
    monkeypatch.setenv('SDPOSE_TRACEBACK', '1')
    with pytest.raises(UserError):
        cli.run(_raising(UserError('a')))


def _options(*texts: str) -> dict:
    parser = argparse.ArgumentParser()
    cli.add_override_option(parser)
    return parser.parse_args(['--cfg-options', *texts]).cfg_options


def test_overrides_are_read() -> None:
    assert _options('a.b=1', 'c=(2,3)', 'd=None', 'e=[x,y]') == {'a.b': 1, 'c': (2, 3), 'd': None, 'e': ['x', 'y']}


@pytest.mark.parametrize(
    'text, message',
    [
        ("hooks=[dict(type='A',b=1)]", 'the value of .*hooks.* cannot be read: .*put whole parts'),
        ('size=(1,2', 'cannot be read'),
        ('model.neck.depth', "'model.neck.depth' is not of the form KEY=VALUE"),
    ],
)
def test_overrides_that_cannot_be_read(text: str, message: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        _options(text)
    assert stop.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def test_ctrl_c_that_another_error_covers_is_130(capsys: pytest.CaptureFixture) -> None:
    def command() -> None:
        try:
            raise KeyboardInterrupt
        except BaseException:
            raise SyntaxError('half a file')  # noqa: B904

    assert cli.run(command) == 130
    assert capsys.readouterr().err == 'stopped\n'


def test_a_tool_ends_beside_an_idle_executor(tool_env: dict) -> None:
    """Its workers wait for work until Python says that it ends; OpenVINO's telemetry keeps one."""
    code = (
        'from concurrent.futures import ThreadPoolExecutor\n'
        'from sdpose.apis import cli\n'
        'pool = ThreadPoolExecutor(1)\n'
        'pool.submit(print, "worked", flush=True)\n'
        'cli.leave(cli.run(lambda: None))\n'
    )
    done = subprocess.run([sys.executable, '-c', code], env=tool_env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, 'worked\n', '')


@pytest.mark.parametrize('place', ['file/x/y.png', 'file/y.png'])
def test_a_file_where_a_folder_should_be_is_one_line(place: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / 'file').touch()

    def command() -> None:
        with atomic_write(tmp_path / place):
            pass

    assert cli.run(command) == 2
    assert re.fullmatch(f'error: {tmp_path}/file.*: name another place, or make way for it\n', capsys.readouterr().err)
