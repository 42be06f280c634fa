"""Windows and pictures of predictions: a missing display is one line, pictures lie where they were asked for."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import pytest

from sdpose.apis import drawing, testing, training
from sdpose.errors import ConfigError, UserError

_NO_DISPLAY = dict(DISPLAY='', WAYLAND_DISPLAY='', QT_QPA_PLATFORM='')
_SHORT = {
    'train_cfg.max_epochs': 2,
    'train_cfg.val_interval': 1,
    'default_hooks.checkpoint.interval': 2,
    'train_dataloader.num_workers': 0,
    'val_dataloader.batch_size': 2,
}


@pytest.mark.parametrize('tool', [['tools/train.py', 'tiny.py'], ['tools/test.py', 'tiny.py', 'none.pth']])
@pytest.mark.parametrize(
    'display, seen', [('', 'DISPLAY is not set'), ('localhost:77', 'the display localhost:77 does not answer')]
)
def test_a_window_without_a_display_is_one_line(
    workspace: Path, run_tool: Callable, tool: list[str], display: str, seen: str
) -> None:
    done = run_tool(*tool, '--work-dir', 'run', '--show', cwd=workspace, env=dict(_NO_DISPLAY, DISPLAY=display))
    assert done.returncode == 2 and not (workspace / 'run').exists()
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f'error: --show opens windows, and none can be opened here ({seen}') and '--show-dir' in last
    assert 'Qt' not in done.stderr and 'Traceback' not in done.stderr


@pytest.fixture
def here(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace as the current folder."""
    monkeypatch.chdir(workspace)
    return workspace


@pytest.mark.parametrize('failure', [SimpleNamespace(returncode=-6), subprocess.TimeoutExpired('python', 60)])
def test_what_a_config_asks_for_is_tried_too(here: Path, monkeypatch: pytest.MonkeyPatch, failure: Any) -> None:
    def run(*args: Any, **kwargs: Any) -> Any:
        if isinstance(failure, Exception):
            raise failure
        return failure

    monkeypatch.setattr(drawing.subprocess, 'run', run)
    options = {'default_hooks.visualization.enable': True, 'default_hooks.visualization.show': True}
    with pytest.raises(UserError, match='--show opens windows, and none can be opened here'):
        training.train('tiny.py', cfg_options=options)
    with pytest.raises(UserError, match='--show opens windows, and none can be opened here'):
        testing.test('tiny.py', 'none.pth', cfg_options=options)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(interval=0), '--interval 0 .*: give a whole number from 1'),
        (dict(interval=-2), '--interval -2'),
        (dict(wait_time=-1.0), '--wait-time -1.0 .*: give seconds'),
        (dict(wait_time=float('nan')), '--wait-time nan'),
        (dict(wait_time=float('inf')), '--wait-time inf'),
        (dict(no_validate=True), 'draw validation predictions, and this training has no validation'),
    ],
)
def test_values_that_nothing_can_be_drawn_with(here: Path, options: dict, message: str) -> None:
    show = dict(show=True) if 'wait_time' in options else dict(show_dir='pictures')
    with pytest.raises(ConfigError, match=message):
        training.train('tiny.py', **show, **options)


def test_a_folder_that_cannot_be_written_is_found_before_the_run(here: Path) -> None:
    (here / 'file').write_text('')
    with pytest.raises(UserError, match=f'^--show-dir {here}/file/x: the folder {here}/file/x cannot be written'):
        training.train('tiny.py', work_dir='run', show_dir=f'{here}/file/x')
    assert not list(here.glob('run/*.pth'))


def test_a_training_writes_pictures_of_its_validations(here: Path) -> None:
    training.train('tiny.py', work_dir='run', show_dir='pictures', interval=2, cfg_options=_SHORT)
    (folder,) = here.glob('run/*/pictures')
    names = sorted(path.name for path in folder.iterdir())
    epochs = [[name for name in names if name.endswith(f'_epoch_{epoch}.jpg')] for epoch in (1, 2)]
    # 9 detections make 5 batches of two, of which the first, third and fifth are drawn.
    assert [len(each) for each in epochs] == [3, 3] and len(names) == 6
    assert cv2.imread(str(folder / names[0])).shape[2] == 3
    (log,) = here.glob('run/*/*.log')
    assert f'pictures: {folder.resolve()}' in log.read_text()
