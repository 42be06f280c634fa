"""The script for minutes of a GPU: every part runs on a stand-in, what fails or is cut off is said, trainings fit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sdpose.benchmarks import on_a_card
from sdpose.benchmarks.on_a_card import Part, Request, images_per_second, run_parts, size_trainings
from sdpose.errors import UserError

_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    'seconds, rate, cores, sized',
    [
        # 0.8 x 6000 images/s, 25,000 people: 5.208 s an epoch. Three rows: 600 s give one seed of (200 - 45) / 5.208
        # epochs, two of (100 - 45) / 5.208 = 10, too few.
        (600, 6000, 16, (1, 29)),
        (1200, 6000, 16, (3, 16)),  # (1200 / 9 - 45) / 5.208 = 16.96 is too few for a fourth: 10.5
        (1200, 6000, 2, (1, 19)),  # two cores load 1400 images/s: 17.86 s an epoch
        (100, 6000, 16, None),  # 33 s each, which its start takes
        (90000, 6000, 16, (10, 60)),
        (600, 0, 16, None),
    ],
)
def test_trainings_fit_into_the_time(seconds: int, rate: int, cores: int, sized: tuple[int, int] | None) -> None:
    found = size_trainings(seconds, rate, cores)
    assert found == sized
    if found is not None:
        seeds, epochs = found
        assert 3 * seeds * (45 + epochs * 25000 / min(0.8 * rate, 700 * cores)) <= seconds


def test_the_fastest_step_but_the_released_one_counts(tmp_path: Path) -> None:
    file = tmp_path / 'train.json'
    rows = [('SDPose', 10.0), ('released way', 90.0), ('SDPose, compile', 30.0)]
    file.write_text(json.dumps([{'rows': [{'variant': name, 'images/s': rate} for name, rate in rows]}]))
    assert images_per_second(file) == 30.0
    assert images_per_second(tmp_path / 'none.json') == 0.0


def test_a_part_that_fails_or_is_cut_off_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [
        Part('fails', ['-c', 'import sys; print("why"); sys.exit(3)']),
        Part('good', ['-c', f'open({str(tmp_path / "good.md")!r}, "w").write("| a table |")']),
        Part('empty', []),
        Part('slow', ['-c', 'import time; time.sleep(60)']),
        Part('late', ['-c', '1']),
    ]
    monkeypatch.setattr(on_a_card, '_parts', lambda *given: iter(parts))
    monkeypatch.setattr(on_a_card, '_LEAST', 0.5)
    said: list[str] = []
    summary = run_parts(Request(tmp_path, 6 / 60, 'cpu', True), _ROOT / 'tools', said.append)
    text = summary.read_text()
    assert said[0].startswith('fails: failed after') and (tmp_path / 'fails.log').read_text() == 'why\n'
    assert said[1].startswith('good: done in') and '| a table |' in text
    assert said[3].startswith('slow: cut off after') and said[2].endswith(said[4].split(': ')[1])
    assert said[4] == 'late: not begun, too little time is left'
    assert all(f'- {line}' in text for line in said)


def test_what_it_refuses(tmp_path: Path) -> None:
    for request, message in (
        (Request(tmp_path, 0, 'cpu', True), '--minutes must be above 0, not 0'),
        (Request(tmp_path, 1, 'cuda:99', True), '--device cuda:99: torch sees'),
    ):
        with pytest.raises(UserError, match=message):
            run_parts(request, _ROOT / 'tools', print)


@pytest.mark.long
def test_every_part_runs_on_a_stand_in(tmp_path: Path) -> None:
    env = {**os.environ, 'SDPOSE_ENV': 'active', 'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}'}
    command = ['bash', _ROOT / 'tools/analysis_tools/gpu_benchmark.sh', '--device', 'cpu', '--small', '--minutes', '30']
    done = subprocess.run([*command, '--out', tmp_path], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    states = dict(line.split(': ', 1) for line in done.stdout.splitlines()[:-1])
    names = ['machine', 'train_sdpose-tiny', 'train_sdpose-tiny_large', 'infer_sdpose-tiny']
    assert list(states) == [*names, 'train_sdpose-tiny_released', 'people', 'table']
    assert all(state.startswith('done in') for state in states.values()), states
    summary = (tmp_path / 'summary.md').read_text()
    assert 'Training step' in summary and 'Inference in torch' in summary
    assert '### Cycles and self-distillation beside the plain model' in summary
    assert list(tmp_path.glob('tables/*/card.html'))
