"""Data of drawn stick people, a small SDPose on it, and one finished training for the tests of the tools."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from stick_people import CONFIG, write_coco


@pytest.fixture(scope='session')
def stick_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``data`` folder: COCO's layout, 12 people to train on, 8 to validate, detections of the latter."""
    data = tmp_path_factory.mktemp('stick') / 'data'
    write_coco(data)
    return data


@pytest.fixture
def workspace(stick_people: Path, repo_root: Path, tmp_path: Path) -> Path:
    """A folder of one's own with ``data/`` (a copy, to be damaged at will) and the config ``tiny.py``."""
    shutil.copytree(stick_people, tmp_path / 'data')
    (tmp_path / 'tiny.py').write_text(CONFIG.format(root=repo_root))
    return tmp_path


@pytest.fixture(scope='session')
def trained(
    stick_people: Path, repo_root: Path, tmp_path_factory: pytest.TempPathFactory, run_tool: Callable
) -> SimpleNamespace:
    """Forty epochs without interruption: ``folder`` (config, data), ``run`` (``epoch_20.pth``, ``_40``), ``log``."""
    folder = tmp_path_factory.mktemp('trained')
    (folder / 'data').symlink_to(stick_people)
    (folder / 'tiny.py').write_text(CONFIG.format(root=repo_root))
    done = run_tool('tools/train.py', 'tiny.py', '--work-dir', 'run', cwd=folder, check=True)
    return SimpleNamespace(folder=folder, run=folder / 'run', log=done.stdout + done.stderr)


@pytest.fixture
def quick_start_folder(stick_people: Path, tmp_path: Path) -> Path:
    """A folder to run the configs of ``configs/quick_start`` in: the stick people lie where those look for theirs."""
    root = tmp_path / 'data/synthetic_starter'
    (root / 'annotations').mkdir(parents=True)
    for split in ('train', 'val'):
        (root / split).symlink_to(stick_people / f'coco/{split}2017')
        (root / f'annotations/{split}.json').symlink_to(
            stick_people / f'coco/annotations/person_keypoints_{split}2017.json'
        )
    return tmp_path
