"""A wheel carries its configs and works outside the checkout; what the project imports is declared."""

import ast
import json
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from sdpose.version import __version__

# Distributions that take the place of a declared one.
STAND_INS = {'mmcv': 'mmcv-lite', 'opencv-python-headless': 'opencv-python', 'opencv-contrib-python': 'opencv-python'}
CARRIED = ('sdpose', 'configs', 'tools', 'requirements')


@pytest.fixture(scope='module')
def wheel(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built without network from a copy of the sources."""
    source = tmp_path_factory.mktemp('source')
    for name in CARRIED:
        shutil.copytree(repo_root / name, source / name, ignore=shutil.ignore_patterns('__pycache__', '.mim'))
    for name in ('setup.py', 'pyproject.toml', 'LICENSE', 'README.md'):
        if (repo_root / name).exists():
            shutil.copy(repo_root / name, source)
    target = tmp_path_factory.mktemp('wheel')
    pip(['wheel', '--no-deps', '--no-build-isolation', '--no-index', '--wheel-dir', str(target), str(source)])
    assert not list((source / 'sdpose').rglob('.mim')), 'the build copied files into the sources'
    return next(target.glob('*.whl'))


def pip(arguments: list) -> None:
    done = subprocess.run([sys.executable, '-m', 'pip', *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_carries_every_config_and_tool_and_nothing_else(wheel: Path, repo_root: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, suffixes in (('configs', ('.py', '.md', '.yml')), ('tools', ('.py', '.sh'))):
        wanted = {
            f'sdpose/.mim/{file.relative_to(repo_root)}'
            for file in (repo_root / folder).rglob('*')
            if file.suffix in suffixes
        }
        assert wanted and wanted <= names
    pages = {str(file.relative_to(repo_root)) for file in (repo_root / 'sdpose').rglob('*.jinja')}
    assert pages and pages <= names
    assert 'sdpose/py.typed' in names  # without it, the types are nobody's but ours
    tops = {name.split('/')[0] for name in names}
    assert len(tops) == 2 and 'sdpose' in tops and 'tests' not in tops
    assert any(name.endswith('LICENSE') for name in names)


def test_its_requirements_can_all_be_installed(wheel: Path):
    """mmpose among them would drag in chumpy, whose build fails."""
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(next(name for name in archive.namelist() if name.endswith('METADATA'))).decode()
    required = [line.split(':')[1].strip() for line in metadata.splitlines() if line.startswith('Requires-Dist:')]
    plain = [line for line in required if 'extra ==' not in line]
    assert any(line.startswith('mmengine==0.10.7') for line in plain)
    assert not any(line.startswith(('mmpose', 'mmcv', 'xtcocotools')) for line in required)
    for extra in ('tests', 'optional', 'deploy', 'demo', 'all'):
        assert f'Provides-Extra: {extra}' in metadata
        assert any(f'extra == "{extra}"' in line.replace("'", '"') for line in required)
    python = next(line for line in metadata.splitlines() if line.startswith('Requires-Python:'))
    assert '>=3.10' in python and '<3.13' in python


def test_it_works_outside_the_checkout(wheel: Path, tool_env: dict, tmp_path: Path):
    site = tmp_path / 'site'
    pip(['install', '--no-deps', '--no-index', '--target', str(site), str(wheel)])
    code = dedent("""
        import json, sdpose
        from mmengine.config import Config
        from sdpose.config.find import config_dir, find_config
        from mmengine.registry import init_default_scope
        from mmpose.registry import MODELS
        names = sorted(file.name for file in (config_dir() / 'sdpose').rglob('*.py'))
        init_default_scope('mmpose')
        cfg = Config.fromfile(find_config(names[0]))
        print(json.dumps([sdpose.__file__, str(config_dir()), names, type(MODELS.build(cfg.model)).__name__]))
    """)
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**tool_env, 'PYTHONPATH': str(site)},
    )
    assert done.returncode == 0, done.stderr
    file, folder, names, model = json.loads(done.stdout.splitlines()[-1])
    assert Path(file).parent == site / 'sdpose' and Path(folder) == site / 'sdpose' / '.mim' / 'configs'
    assert any(name.startswith('sdpose-') for name in names) and model


def imported(folder: Path) -> set[str]:
    """The packages that modules import, inside functions too, but for the standard library and our own."""
    names: set[str] = set()
    for file in folder.rglob('*.py'):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module.partition('.')[0])
    return names - set(sys.stdlib_module_names) - {'sdpose'}


def undeclared(folder: Path, requirements: Path) -> dict[str, list[str]]:
    """Per package that no file of requirements names: what it is installed by, nothing if it is not installed."""

    def canonical(name: str) -> str:
        return re.sub(r'[-_.]+', '-', name).lower()

    lines = [line for file in requirements.glob('*.txt') for line in file.read_text().splitlines()]
    declared = {canonical(match[0]) for line in lines if (match := re.match(r'[\w.-]+', line))}
    known = {name: [canonical(found) for found in packages_distributions().get(name, [])] for name in imported(folder)}
    return {name: found for name, found in known.items() if not declared & {STAND_INS.get(one, one) for one in found}}


def test_whatever_is_imported_is_declared(repo_root: Path, tmp_path: Path):
    assert {'cv2', 'mmengine', 'rich', 'yaml', 'safetensors'} <= imported(repo_root / 'sdpose')
    assert undeclared(repo_root / 'sdpose', repo_root / 'requirements') == {}
    shutil.copytree(repo_root / 'requirements', tmp_path / 'requirements')
    runtime = tmp_path / 'requirements' / 'runtime.txt'
    runtime.write_text(runtime.read_text().replace('rich\n', ''))
    assert undeclared(repo_root / 'sdpose', runtime.parent) == {'rich': ['rich']}


def test_what_describes_the_project_agrees_with_it(repo_root: Path):
    citation = yaml.safe_load((repo_root / 'CITATION.cff').read_text())
    bibtex = (repo_root / 'README.md').read_text().partition('```bibtex')[2]
    paper = citation['preferred-citation']
    names = ' and '.join(f'{author["family-names"]}, {author["given-names"]}' for author in paper['authors'])
    for line in (f'title={{{paper["title"]}}}', f'author={{{names}}}', f'year={{{paper["year"]}}}'):
        assert line in bibtex
    assert citation['version'] == __version__
    assert f'({__version__})' in (repo_root / 'CHANGELOG.md').read_text()
    hooks = yaml.safe_load((repo_root / '.pre-commit-config.yaml').read_text())['repos'][0]['hooks']
    runner = (repo_root / 'tools/run_tests.sh').read_text()
    assert all(f'-m {hook["entry"]}' in runner for hook in hooks) and len(hooks) == 3
    (job,) = yaml.safe_load((repo_root / '.github/workflows/tests.yml').read_text())['jobs'].values()
    readme = (repo_root / 'README.md').read_text().partition('```bash')[2].partition('```')[0]
    assert [step['run'] for step in job['steps'] if 'run' in step] == re.findall(r'bash tools/\w+\.sh', readme)[::-1]
