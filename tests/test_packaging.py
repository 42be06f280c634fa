"""A wheel carries its configs and works outside the checkout."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

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
    for extra in ('tests', 'optional', 'all'):
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
