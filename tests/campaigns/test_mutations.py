"""The campaign of mutations is up to date, and catches what it should."""

import subprocess
import sys
from pathlib import Path

import mutations
import pytest


def test_every_mutation_is_of_this_code_and_names_tests() -> None:
    found = mutations.chosen() + mutations.drawn(20, seed=0)
    assert len({mutation.name for mutation in found}) == len(found) >= 150
    for mutation in found:
        assert mutation.old in (mutations.ROOT / mutation.file).read_text(), f'bring {mutation.name!r} up to date'
        files = [part for part in mutation.tests.split() if part.endswith('.py')]
        assert files and all((mutations.ROOT / 'tests' / file).is_file() for file in files), mutation.name


def test_the_draw_is_the_seeds() -> None:
    assert mutations.drawn(5, seed=1) == mutations.drawn(5, seed=1) != mutations.drawn(5, seed=2)


def test_a_mutation_is_made_and_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / 'sdpose/some.py'
    file.parent.mkdir()
    file.write_text('a = 1\na = 1\n')
    seen = []

    def run(tests: str, clone: Path, *options: str) -> tuple[int, str]:
        seen.append((tests, (clone / 'sdpose/some.py').read_text()))
        return statuses.pop(0), ''

    monkeypatch.setattr(mutations, 'status_of', run)
    statuses = [1, 0, 4]
    mutation = mutations.Mutation('name', 'sdpose/some.py', 'a = 1', 'a = 2', 'test_some.py')
    assert mutations.is_caught(mutation, tmp_path, full=False)
    assert not mutations.is_caught(mutation, tmp_path, full=True)
    with pytest.raises(SystemExit, match='name: pytest ended with 4'):
        mutations.is_caught(mutation, tmp_path, full=False)
    assert seen[:2] == [('test_some.py', 'a = 2\na = 1\n'), ('', 'a = 2\na = 1\n')]
    assert file.read_text() == 'a = 1\na = 1\n'


def test_a_text_that_is_gone_ends_the_campaign(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    mutation = mutations.Mutation('old news', 'sdpose/__init__.py', 'no such text', '', 'test_errors.py')
    with pytest.raises(SystemExit, match='2'):
        mutations.check([mutation], tmp_path)
    assert 'bring them up to date: old news' in capsys.readouterr().err


@pytest.mark.long
def test_95_percent_are_caught(repo_root: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(repo_root / 'tests/campaigns/mutations.py')], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
