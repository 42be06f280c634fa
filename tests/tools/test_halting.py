"""tools/test.py --halt, run as a user runs it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from sdpose.apis import testing
from sdpose.errors import UserError


@pytest.mark.long
def test_a_curve_beside_its_control(trained: SimpleNamespace, tmp_path: Path, run_tool: Callable) -> None:
    run_tool(
        'tools/test.py',
        *('tiny.py', 'run/epoch_20.pth', '--work-dir', tmp_path / 'halt', '--halt', 0.01, 0.45, 0.99),
        cwd=trained.folder,
        check=True,
    )
    run_tool(
        'tools/test.py',
        *('tiny.py', 'run/epoch_20.pth', '--work-dir', tmp_path / 'all', '--all-cycles'),
        cwd=trained.folder,
        check=True,
    )
    metrics, cycles = (
        json.loads(next((tmp_path / name).glob('*/metrics.json')).read_text())['metrics'] for name in ('halt', 'all')
    )
    # Nobody goes on, or everybody: the two ends are those of a cycle each.
    for threshold, cycle in (('0.01', 1), ('0.99', 2)):
        for kind in ('halt', 'chance'):
            assert metrics[f'{kind}{threshold}/coco/AP'] == pytest.approx(cycles[f'cycle{cycle}/coco/AP'], abs=1e-6)
    (folder,) = (file.parent for file in (tmp_path / 'halt').glob('*/halting.json'))
    curve = json.loads((folder / 'halting.json').read_text())
    assert curve['metric'] == 'coco/AP' and curve['by'] == 'peaks'
    one, two = curve['macs_of_cycles']
    # The second cycle costs one layer of 32 over 17 + 48 tokens, and the head once more (by hand).
    tokens, dim = 17 + 48, 32
    layer = tokens * dim * (3 * dim + dim + 6 * dim) + 2 * tokens * tokens * dim
    head = 17 * (dim * 192)
    assert two - one == layer + head
    rows = {row['threshold']: row for row in curve['rows']}
    assert [rows[each]['done_after'] for each in (0.01, 0.99)] == [[1, 0], [0, 1]]
    for row in curve['rows']:
        share = row['done_after'][0]
        assert row['macs'] == pytest.approx(share * one + (1 - share) * two)
        assert row['halt'] == metrics[f'halt{row["threshold"]:g}/coco/AP']
    assert (folder / 'halting.png').read_bytes().startswith(b'\x89PNG')
    log = next((tmp_path / 'halt').glob('*/*.log')).read_text()
    counts = _of_files(trained.folder, tmp_path, run_tool, metrics['halt0.45/coco/AP'])
    assert counts[1] / sum(counts) == pytest.approx(rows[0.45]['done_after'][1])
    assert re.search(r'threshold +G +done after 1 +done after 2 +rule +by chance\n +0.01 .* 100.0 % +0.0 % ', log)


def _of_files(folder: Path, tmp_path: Path, run_tool: Callable, expected: float) -> tuple[int, int]:
    """Export both cycles, test the files with a threshold, and return how many people were done after each."""
    out, work_dir = tmp_path / 'files', tmp_path / 'of_files'
    command = ('tools/deploy/export.py', 'tiny.py', 'run/epoch_20.pth', '--out', out, '--cycles', 2)
    run_tool(*command, cwd=folder, check=True)
    run_tool('tools/test.py', 'tiny.py', out, '--work-dir', work_dir, '--halt', 0.45, cwd=folder, check=True)
    found = json.loads(next(work_dir.glob('*/metrics.json')).read_text())
    assert found['metrics']['coco/AP'] == pytest.approx(expected, abs=1e-3) and found['exported']['halt'] == 0.45
    said = re.search(r'people were done: (\d+) after cycle 1, (\d+) after', next(work_dir.glob('*/*.log')).read_text())
    assert said
    return int(said[1]), int(said[2])


@pytest.mark.parametrize(
    'options, said',
    [
        (dict(halt=[1.5]), '--halt: thresholds by peaks lie between 0 and 1, got 1.5'),
        (dict(halt_by='motion'), '--halt-by motion says what the threshold of --halt is compared with: add --halt'),
        (dict(halt=[0.5], halt_by='motion'), '--halt: by motion .*num_cycles of 3 or more, got 2'),
        (dict(halt=[0.5], all_cycles=True), '--halt makes results for every threshold .*leave out --all-cycles'),
        (dict(halt=[0.5], out='x.json'), 'leave out --out'),
        (dict(halt=[0.5], format_only=True), 'leave out --format-only'),
        (
            dict(halt=[0.5], cfg_options={'model.neck.num_cycles': 1, 'model.distiller': None}),
            '--halt: by peaks .*num_cycles of 2 or more, got 1',
        ),
    ],
)
def test_what_cannot_be_is_one_line(workspace: Path, monkeypatch: pytest.MonkeyPatch, options: dict, said: str) -> None:
    monkeypatch.chdir(workspace)
    with pytest.raises(UserError, match=said):
        testing.test('tiny.py', 'none.pth', **options)
