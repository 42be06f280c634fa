"""The doctor's table, in a whole environment and in broken ones."""

import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def tools(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple:
    """The modules ``parts`` and ``environment``, which import each other as programs of one folder do."""
    monkeypatch.syspath_prepend(str(repo_root / 'tools' / 'misc'))
    for name in ('doctor', 'environment', 'parts'):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import environment
    import parts

    return parts, environment


@pytest.fixture
def parts(tools: tuple) -> ModuleType:
    return tools[0]


@pytest.fixture
def environment(tools: tuple) -> ModuleType:
    return tools[1]


def cells(output: str, name: str) -> list:
    """The words of a part's line."""
    return next(line.split() for line in output.splitlines() if line.startswith(f'{name} '))


def test_this_environment_is_whole(run_tool):
    done = run_tool('tools/misc/doctor.py')
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'Everything that is needed works.' in done.stdout
    assert cells(done.stdout, 'mmpose')[1:4] == ['1.3.2', '1.3.2', 'ok']
    assert cells(done.stdout, 'GPU')[1:3] == ['none', 'seen']
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    'module, error, part, cure',
    [
        ('cv2', 'libGL.so.1: cannot open shared object file', 'opencv-python', 'pip install opencv-python-headless'),
        ('xtcocotools', 'numpy.dtype size changed', 'xtcocotools', '--no-binary xtcocotools'),
        ('torchvision', 'operator torchvision::nms does not exist', 'torchvision', 'pip install "torchvision=='),
    ],
)
@pytest.mark.long
def test_a_broken_part_is_named_with_its_cure(
    run_tool, tool_env: dict, tmp_path: Path, module: str, error: str, part: str, cure: str
):
    """A module of the same name that fails as the real one does lies before it."""
    (tmp_path / f'{module}.py').write_text(f'raise ImportError({error!r})\n')
    done = run_tool('tools/misc/doctor.py', env={'PYTHONPATH': f'{tmp_path}:{tool_env["PYTHONPATH"]}'})
    assert done.returncode == 1
    assert 'BROKEN' in cells(done.stdout, part)
    assert f'{part}: ImportError: {error}' in done.stdout and cure in ' '.join(done.stdout.split())
    assert 'cure the others first' in done.stdout  # the project fails because of it
    assert 'ok' in cells(done.stdout, 'numpy')
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_it_runs_where_nothing_is_installed(run_tool):
    """Without any site-packages."""
    done = run_tool('-S', 'tools/misc/doctor.py')
    assert done.returncode == 1, done.stderr
    assert 'BROKEN' in cells(done.stdout, 'torch') and 'cure: bash tools/install.sh' in done.stdout
    assert done.stderr == ''


def test_unknown_argument(run_tool):
    done = run_tool('tools/misc/doctor.py', '--fix')
    assert done.returncode == 2 and 'takes no argument, not --fix' in done.stdout


def test_a_wrong_python_is_broken(parts: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, 'version_info', (3, 13, 0, 'final', 0))
    row = parts.python_row()
    assert (row.found, row.state) == ('3.13.0', 'BROKEN') and '--python python3.11' in row.cure


def test_a_new_setuptools_is_broken(parts: ModuleType, environment: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, 'version_of', lambda name: '84.0.0')
    row = parts.setuptools_row()
    assert row.state == 'BROKEN' and row.cure == 'pip install "setuptools<81"'


@pytest.mark.parametrize(
    'full, lite, works, states',
    [
        (None, '2.1.0', None, ['ok', 'note']),
        ('2.1.0', None, True, ['ok', 'note']),
        ('2.1.0', None, False, ['ok', 'BROKEN']),
        ('2.1.0', '2.1.0', False, ['BROKEN', 'note']),
        (None, None, None, ['BROKEN', 'note']),
        (None, '1.7.0', None, ['BROKEN', 'note']),
    ],
)
def test_both_kinds_of_mmcv(
    parts: ModuleType, environment: ModuleType, monkeypatch: pytest.MonkeyPatch, full, lite, works, states
):
    versions = {'mmcv': full, 'mmcv-lite': lite}
    monkeypatch.setattr(environment, 'version_of', versions.get)
    trials = {} if works is None else {'mmcv ops': parts.Trial(works, 'undefined symbol')}
    assert [row.state for row in parts.mmcv_rows(trials)] == [*states, 'note']


def test_specifiers(environment: ModuleType):
    assert environment.satisfies('80.9.0', '>=64,<81') and not environment.satisfies('81.0', '>=64,<81')
    assert environment.satisfies('2.12.1+cpu', '==2.12.1') and not environment.satisfies('2.12.0', '==2.12.1')
    assert environment.satisfies('2.4', '>=2.4.0') and environment.satisfies('3', '<=3.0')
    assert not environment.satisfies('3.0', '>3') and environment.satisfies('1.10', '>1.9')


def test_torchvision_of_a_torch(environment: ModuleType):
    assert environment.torchvision_for('2.12.1') == '0.27.1'
    assert environment.torchvision_for('2.5.1+cu121') == '0.20.1'
    assert environment.torchvision_for('2.4') == '0.19.0'
    with pytest.raises(ValueError, match='torch 1.13.1'):
        environment.torchvision_for('1.13.1')


def test_requirements_are_read_without_comments(environment: ModuleType):
    build = dict(environment.requirements('build'))
    assert build['setuptools'] == '>=64,<81' and build['wheel'] == ''
    assert dict(environment.requirements('mminstall'))['mmpose'] == '==1.3.2'


def test_test_requirements_that_are_lacking(environment: ModuleType, monkeypatch: pytest.MonkeyPatch):
    there = {name: specifier.partition('=')[2].strip('=') for name, specifier in environment.requirements('tests')}
    there = {name: version or '1.0' for name, version in there.items()}
    monkeypatch.setattr(environment, 'version_of', there.get)
    assert environment.lacking('tests') == []
    there.update(ruff='0.1.0', mypy=None)
    assert environment.lacking('tests') == ['mypy', 'ruff']


def make_distribution(folder: Path, name: str, requires: str = '', files: tuple = (), record: bool = True) -> None:
    info = folder / f'{name.replace("-", "_")}-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}')
    if record:
        (info / 'RECORD').write_text(''.join(f'{file},,\n' for file in files) or f'{info.name}/METADATA,,\n')


def test_interrupted_and_damaged_installations_are_found(
    environment: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(environment.sysconfig, 'get_path', lambda kind: str(tmp_path))
    make_distribution(tmp_path, 'sdp-top', 'Requires-Dist: sdp_whole[more]>=1\nRequires-Dist: sdp-dev; extra == "x"\n')
    make_distribution(tmp_path, 'sdp-whole', 'Requires-Dist: sdp-torn; extra == "more"\nRequires-Dist: sdp-lost\n')
    make_distribution(tmp_path, 'sdp-torn', record=False)
    make_distribution(tmp_path, 'sdp-lost', files=('lost.py',))
    make_distribution(tmp_path, 'sdp-dev', record=False)
    make_distribution(tmp_path, 'sdp-other', record=False)
    assert environment.closure(['sdp_top']) == {'sdp-top', 'sdp-whole', 'sdp-torn', 'sdp-lost'}
    assert environment.incomplete(['sdp_top']) == ['sdp-lost==1.0', 'sdp-torn==1.0']
    (tmp_path / 'lost.py').write_text('')
    assert environment.incomplete(['sdp_top']) == ['sdp-torn==1.0']
