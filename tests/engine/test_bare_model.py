"""The model below a wrapper."""

from types import SimpleNamespace

from torch import nn

from sdpose.engine.bare_model import bare_model


def test_a_wrapper_is_taken_off_and_a_bare_model_stays() -> None:
    model = nn.Linear(2, 2)
    assert bare_model(SimpleNamespace(model=model)) is model
    assert bare_model(SimpleNamespace(model=nn.DataParallel(model))) is model


def test_nothing_else_takes_wrappers_off(repo_root) -> None:
    files = [file.name for file in (repo_root / 'sdpose').rglob('*.py') if 'is_model_wrapper' in file.read_text()]
    assert files == ['bare_model.py']
