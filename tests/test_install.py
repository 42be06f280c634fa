"""The installer's decisions and messages, without installing anything, and that a second run does nothing."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

PASS_ON = f'exec {sys.executable} "$@"'


@pytest.fixture
def install(repo_root: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Run the installer with a PATH that begins with the test's ``bin``, and a home without Pythons."""
    (tmp_path / 'bin').mkdir()

    def run(*args: object, cwd: Path = tmp_path, **env: str) -> subprocess.CompletedProcess:
        path = f'{tmp_path / "bin"}{os.pathsep}{os.environ["PATH"]}'
        return subprocess.run(
            ['bash', str(repo_root / 'tools' / 'install.sh'), *map(str, args)],
            cwd=cwd,
            text=True,
            env={**os.environ, 'HOME': str(tmp_path), 'PATH': path, **env},
            timeout=300,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    return run


def fake_python(folder: Path, name: str, version: str, otherwise: str = 'exit 9') -> Path:
    """A program that tells its version when asked, and does something of the test's choice otherwise."""
    path = folder / 'bin' / name
    path.write_text(f'#!/bin/sh\ncase "$*" in\n  *version_info*) echo {version} ;;\n  *) {otherwise} ;;\nesac\n')
    path.chmod(0o755)
    return path


def test_help(install):
    done = install('--help')
    assert done.returncode == 0 and done.stdout.startswith('usage: bash tools/install.sh [FOLDER]')


@pytest.mark.parametrize(
    'args, message',
    [
        (['--venv'], 'install.sh: unknown option --venv'),
        (['one', 'two'], 'two folders given: one and two'),
        (['--no-venv', 'one'], '--no-venv uses the active environment; drop the folder one'),
        (['--python'], '--python needs a value'),
        (['--python', '/no/such/python'], '--python /no/such/python: no such program'),
    ],
)
def test_wrong_arguments(install, tmp_path: Path, args: list, message: str):
    done = install(*args)
    assert done.returncode == 1 and message in done.stdout
    assert sorted(os.listdir(tmp_path)) == ['bin']


@pytest.mark.parametrize('version', ['3.9.18', '3.13.0', '2.7.18'])
def test_a_python_of_another_version_is_refused(install, tmp_path: Path, version: str):
    python = fake_python(tmp_path, 'some_python', version)
    done = install('env', '--python', python)
    assert done.returncode == 1
    assert f'--python {python} is Python {version}; 3.10, 3.11 or 3.12 is needed' in done.stdout
    assert not (tmp_path / 'env').exists()
    fake_python(tmp_path, 'python', version)
    done = install('--no-venv')
    assert done.returncode == 1 and f'the active Python is {version}' in done.stdout


def test_no_fitting_python_anywhere(install, tmp_path: Path):
    for name, version in (('python3', '3.13.0'), ('python3.12', ''), ('python3.11', ''), ('python3.10', '')):
        fake_python(tmp_path, name, version)
    done = install('env')
    assert done.returncode == 1
    assert 'Python 3.10, 3.11 or 3.12 is needed; python3 is 3.13.0.' in done.stdout
    assert 'bash tools/install.sh --python /path/to/python3.11' in done.stdout


def test_a_fitting_python_is_found_where_python3_is_another(install, tmp_path: Path):
    fake_python(tmp_path, 'python3', '3.13.0')
    fake_python(tmp_path, 'python3.12', '')
    found = fake_python(tmp_path, 'python3.11', '3.11.9')
    done = install('env')
    assert f'Python 3.11.9 ({found})' in done.stdout
    assert done.returncode == 1 and 'the virtual environment could not be made' in done.stdout


def test_a_folder_that_is_something_else_is_left_alone(install, tmp_path: Path):
    (tmp_path / 'thesis').mkdir()
    (tmp_path / 'thesis' / 'chapter.tex').write_text('x')
    done = install('thesis')
    assert done.returncode == 1 and 'thesis exists and is no virtual environment' in done.stdout
    assert [path.name for path in (tmp_path / 'thesis').iterdir()] == ['chapter.tex']


def test_an_environment_of_another_python_is_left_alone(install, tmp_path: Path):
    (tmp_path / 'env' / 'bin').mkdir(parents=True)
    (tmp_path / 'env' / 'pyvenv.cfg').write_text('version = 3.9.18')
    fake_python(tmp_path / 'env', 'python', '3.9.18')
    done = install('env')
    assert done.returncode == 1 and 'env holds Python 3.9.18' in done.stdout and 'name another folder' in done.stdout
    assert sorted(os.listdir(tmp_path / 'env')) == ['bin', 'pyvenv.cfg']


def active_python(folder: Path, version: str) -> None:
    """An active environment in a folder of the test, whose pip cannot fetch anything."""
    (folder / 'prefix').mkdir()
    fake_python(
        folder,
        'python',
        version,
        f"""case "$*" in
      *sys.prefix*) echo {folder / 'prefix'} ;;
      *"-m pip"*) echo "ERROR: No matching distribution found for cython"; exit 1 ;;
      *) {PASS_ON} ;;
    esac""",
    )


def test_a_failed_step_shows_its_output_and_what_to_do(install, tmp_path: Path):
    active_python(tmp_path, '3.11.9')
    done = install('--no-venv', CC='true')
    assert done.returncode == 1
    assert 'this step failed: build tools, NumPy and Pillow' in done.stdout
    assert '    ERROR: No matching distribution found for cython' in done.stdout
    assert 'pip config list' in done.stdout and 'Running install.sh again continues here.' in done.stdout
    log = (tmp_path / 'prefix' / 'sdpose-install.log').read_text()
    assert '== build tools, NumPy and Pillow' in log and 'numpy>=2,<3' in log
    assert not (tmp_path / 'prefix' / '.sdpose-installed').exists()


def test_without_a_compiler_numpy_stays_below_2(install, tmp_path: Path):
    active_python(tmp_path, '3.11.9')
    done = install('--no-venv', CC='false')
    assert 'no working C compiler: the wheel of xtcocotools is used, which needs NumPy below 2' in done.stdout
    assert 'numpy>=1.26,<2' in (tmp_path / 'prefix' / 'sdpose-install.log').read_text()


def test_without_a_compiler_python_3_12_is_told_what_to_do(install, tmp_path: Path):
    active_python(tmp_path, '3.12.1')
    done = install('--no-venv', CC='false')
    assert done.returncode == 1
    assert 'xtcocotools must be compiled for Python 3.12' in done.stdout
    assert 'this step failed' not in done.stdout


def test_a_second_run_does_nothing(install, repo_root: Path):
    stamp = Path(sys.prefix) / '.sdpose-installed'
    if not stamp.is_file():
        pytest.skip('this environment was not made by tools/install.sh')
    origin = json.loads(metadata.distribution('sdpose').read_text('direct_url.json') or '{}')
    if origin.get('url') != repo_root.as_uri():
        pytest.skip('this environment is that of another checkout, which it would be taken from')
    before, began = stamp.stat().st_mtime_ns, time.monotonic()
    done = install(sys.prefix, cwd=repo_root)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(f'Everything is installed in {sys.prefix}') and '...' not in done.stdout
    assert stamp.stat().st_mtime_ns == before
    assert time.monotonic() - began < 60


@pytest.mark.parametrize('failing', ['ruff check', 'ruff format', 'mypy', 'pytest', None])
def test_what_reads_the_code_comes_before_every_test(repo_root: Path, tmp_path: Path, failing: str | None):
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools/install.sh').write_text('')
    shutil.copy(repo_root / 'tools/run_tests.sh', tmp_path / 'tools')
    python = tmp_path / '.venv/bin/python'
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\ncase "$*" in\n  *lacking*) exit 0 ;;\n  "-m {failing}"*) exit 1 ;;\nesac\necho "$@"\n'
    )
    python.chmod(0o755)
    env = {key: value for key, value in os.environ.items() if key != 'SDPOSE_ENV'}

    def run(*flags: str) -> tuple[int, list[str]]:
        command = ['bash', str(tmp_path / 'tools/run_tests.sh'), *flags]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        return done.returncode, [line.split(' -n ')[0] for line in done.stdout.splitlines() if line.startswith('-m')]

    every = ['-m ruff check .', '-m ruff format --check .', '-m mypy', '-m pytest']
    passed = [line for line in every if not failing or not line.startswith(f'-m {failing}')]
    wanted = every if failing is None else every[: every.index(next(line for line in every if line not in passed))]
    assert run('--all', 'tests/io') == (0 if failing is None else 1, wanted)
    assert run('tests/io') == (1 if failing == 'pytest' else 0, [] if failing == 'pytest' else ['-m pytest'])


def test_no_registry_is_named(repo_root: Path):
    """Where packages come from is the user's configuration."""
    files = [
        repo_root / 'tools' / 'install.sh',
        repo_root / 'tools' / 'run_tests.sh',
        repo_root / 'setup.py',
        repo_root / 'pyproject.toml',
        *(repo_root / 'requirements').glob('*.txt'),
    ]
    for file in files:
        text = file.read_text()
        assert '://' not in text and 'index-url' not in text, file
