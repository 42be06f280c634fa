"""``tools/demo.py`` as it is run: the numbers of ``tools/test.py``, killed runs that go on, one line for a mistake."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.long  # each starts tools, which takes seconds

GIVEN = 'data/coco/annotations/person_keypoints_val2017.json'
DETECTED = 'data/coco/person_detection_results/COCO_val2017_detections_AP_H_56_person.json'


@pytest.fixture(scope='module')
def folder(trained: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``data``, ``tiny.py`` and ``tiny.pth``."""
    folder = tmp_path_factory.mktemp('demo')
    (folder / 'data').symlink_to(trained.folder / 'data')
    shutil.copy(trained.folder / 'tiny.py', folder)
    shutil.copy(trained.run / 'epoch_40.pth', folder / 'tiny.pth')
    return folder


@pytest.mark.parametrize(
    ('boxes', 'flip', 'tested_with'),
    [
        (GIVEN, '--no-flip-test', ['--gt-bbox', '--cfg-options', 'model.test_cfg.flip_test=False']),
        (DETECTED, '--flip-test', []),
    ],
)
def test_the_numbers_are_those_of_the_test(
    folder: Path, run_tool: Callable, boxes: str, flip: str, tested_with: list[str]
) -> None:
    """Boxes that are annotated, or a detector's: the same points, scores and people."""
    run_tool('tools/test.py', 'tiny.py', 'tiny.pth', '--out', 'test.json', *tested_with, cwd=folder, check=True)
    out = flip.strip('-')
    given = ('data/coco/val2017', '--boxes', boxes, flip, '--box-score', '0')
    done = run_tool(
        'tools/demo.py', *given, '--weights', 'tiny.pth', '--out', out, '--save-coco', cwd=folder, check=True
    )
    assert 'people/s' in done.stderr and f'written: {out}/results.json' in done.stdout
    tested = json.loads((folder / 'test.json').read_text())
    found = json.loads((folder / out / 'results.json').read_text())
    assert len(tested) == 8 <= len(found)
    for entry in tested:  # less those that overlap
        near = [each for each in found if each['image_id'] == entry['image_id']]
        apart = [np.abs(np.subtract(each['keypoints'], entry['keypoints'])).max() for each in near]
        assert min(apart) <= 1e-4
        assert near[int(np.argmin(apart))]['score'] == pytest.approx(entry['score'], abs=1e-5)


@pytest.mark.parametrize('kind', ['video', 'images'])
def test_a_killed_run_goes_on(folder: Path, repo_root: Path, tool_env: dict, kind: str, tmp_path: Path) -> None:
    """The record holds what was found; the second run finishes to the results of an undisturbed one."""
    frame = cv2.imread(str(next((folder / 'data/coco/val2017').iterdir())))
    writer = cv2.VideoWriter(str(tmp_path / 'in.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10, (160, 120))
    (tmp_path / 'in').mkdir()
    for number in range(200):
        moved = np.roll(frame, number, axis=1)
        writer.write(moved)
        cv2.imwrite(str(tmp_path / f'in/{number:03d}.png'), moved)
    writer.release()
    source = tmp_path / ('in.avi' if kind == 'video' else 'in')
    tool = [sys.executable, str(repo_root / 'tools/demo.py'), str(source), '--weights', 'tiny.pth', '--batch-size', '2']

    def start(out: str, *more: str) -> subprocess.Popen:
        command = [*tool, f'--save-{kind}', '--save-npz', '--out', str(tmp_path / out), *more]
        return subprocess.Popen(command, cwd=folder, env=tool_env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    whole = start('whole')
    process, record = start('out'), tmp_path / 'out/unfinished.jsonl'
    while process.poll() is None and not (record.is_file() and record.read_bytes().count(b'\n') > 20):
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = record.read_text().splitlines()
    assert 20 < len(kept) < 200 and not list((tmp_path / 'out').glob('[!.]*.[nm]p*'))
    record.write_text('\n'.join([*kept[:20], kept[20][:50]]))  # the last line is cut off

    said = start('out', '--box-score', '0.9').communicate()[1].decode()
    assert 'unfinished.jsonl is the record of a run that was broken off, with other box_score:' in said
    again = start('out')
    said = again.communicate()[0].decode()
    assert again.returncode == 0 and 'going on with a run that was broken off: 19 of 200 were known' in said
    assert whole.communicate() and whole.returncode == 0
    one, other = (np.load(tmp_path / f'{name}/poses.npz') for name in ('out', 'whole'))
    assert len(one['keypoints']) == 200
    assert all(np.allclose(one[key], other[key], atol=1e-3) for key in other.files if one[key].dtype.kind == 'f')
    assert not record.exists() and not list((tmp_path / 'out').glob('.*partial*'))
    if kind == 'video':
        assert cv2.VideoCapture(str(tmp_path / 'out/in.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == 200
    else:
        assert len(list((tmp_path / 'out/visualizations').iterdir())) == 200


def test_a_stopped_run_leaves_its_record_alone(folder: Path, repo_root: Path, tool_env: dict, tmp_path: Path) -> None:
    """SIGTERM, as Ctrl-C: no half-written video lies beside it."""
    frame = cv2.imread(str(next((folder / 'data/coco/val2017').iterdir())))
    writer = cv2.VideoWriter(str(tmp_path / 'in.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10, (160, 120))
    for _ in range(1000):
        writer.write(frame)
    writer.release()
    command = [sys.executable, str(repo_root / 'tools/demo.py'), str(tmp_path / 'in.avi'), '--weights', 'tiny.pth']
    process = subprocess.Popen(
        [*command, '--batch-size', '2', '--out', str(tmp_path / 'out')],
        cwd=folder, env=tool_env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    record = tmp_path / 'out/unfinished.jsonl'
    while process.poll() is None and not (record.is_file() and record.read_bytes().count(b'\n') > 20):
        time.sleep(0.002)
    process.terminate()
    said = process.communicate()[1]
    assert process.returncode == 143 and said.endswith(
        'stopped by SIGTERM; with --out, the same command goes on from there\n'
    )
    assert sorted(each.name for each in (tmp_path / 'out').iterdir()) == ['.lock', 'unfinished.jsonl']


def test_mistakes_are_one_line(folder: Path, run_tool: Callable, tmp_path: Path) -> None:
    (tmp_path / 'no.mp4').write_bytes(b'no video')
    known = ('--weights', folder / 'tiny.pth', '--out', tmp_path / 'out')
    picture = next((folder / 'data/coco/val2017').iterdir())
    for arguments, said in (
        ([tmp_path / 'no.mp4', *known], f'video {tmp_path}/no.mp4 cannot be read'),
        ([picture, *known, '--show'], '--show opens windows, and none can be opened here'),
    ):
        done = run_tool('tools/demo.py', *arguments, env=dict(DISPLAY='', WAYLAND_DISPLAY='', QT_QPA_PLATFORM='xcb'))
        assert done.returncode == 2 and said in done.stderr, done.stderr
        assert done.stderr.count('\n') == 1 and done.stderr.startswith('error: ')
    assert not (tmp_path / 'out').exists()
