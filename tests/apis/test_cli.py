"""Exit statuses of the tools."""

import pytest

from sdpose.apis import cli
from sdpose.compat import CheckpointError
from sdpose.errors import UserError


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


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture) -> None:
    assert cli.run(_raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == 'stopped\n'


def test_defects_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        cli.run(_raising(ZeroDivisionError()))
    monkeypatch.setenv('SDPOSE_TRACEBACK', '1')
    with pytest.raises(UserError):
        cli.run(_raising(UserError('a')))
