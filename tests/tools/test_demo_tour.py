"""tools/demo_tour.sh makes its pictures, and a page that shows them in a real browser."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import open_browser

_TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'


@pytest.mark.long
def test_the_tour_shows_every_picture(repo_root: Path, tmp_path: Path, tool_env: dict, run_tool: Callable) -> None:
    people = ['--level', 'starter', '--size', '320x240', '--num-train', 20, '--num-val', 4]
    run_tool('tools/dataset_tools/make_synthetic.py', '--out', tmp_path / 'people', *people, check=True)
    options = ['--no-validate', '--cfg-options', 'max_epochs=1', f'data_root={tmp_path}/people/']
    options += ['default_hooks.checkpoint.interval=1', 'default_hooks.checkpoint.save_best=None']
    run_tool('tools/train.py', _TINY, '--work-dir', tmp_path / 'run', *options, check=True)
    path = f'{Path(sys.executable).parent}:{tool_env["PATH"]}'
    env = {**tool_env, 'SDPOSE_ENV': 'active', 'PATH': path, 'DATA': tmp_path / 'people', 'WORK_DIR': tmp_path / 'run'}
    done = subprocess.run(
        ['bash', repo_root / 'tools/demo_tour.sh', 'tour'], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    page = tmp_path / 'tour/index.html'
    assert done.stdout.splitlines()[-1] == str(page)
    with open_browser() as browser:
        shown = browser.new_page(viewport=dict(width=390, height=800))
        shown.goto(page.as_uri())
        assert shown.evaluate('[...document.images].map(image => image.naturalWidth > 300)') == [True] * 11
        assert shown.evaluate('document.documentElement.scrollWidth') == 390


def test_without_a_quick_start_it_says_what_to_do(repo_root: Path, tmp_path: Path, tool_env: dict) -> None:
    env = {**tool_env, 'SDPOSE_ENV': 'active', 'WORK_DIR': tmp_path / 'none'}
    tour = ['bash', repo_root / 'tools/demo_tour.sh', tmp_path / 'tour']
    done = subprocess.run(tour, env=env, capture_output=True, text=True)
    assert done.returncode == 2 and 'run tools/quickstart.sh first' in done.stderr
    assert not (tmp_path / 'tour').exists()
