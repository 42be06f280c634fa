"""The executor with stand-ins for training and testing: order, failures, continuing, and the end of its children."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from sdpose.apis.tables.execute import Executor, _kill_with_parent_prefix
from sdpose.apis.tables.run import Run
from sdpose.errors import ConfigError

# Both are called as tools/train.py and tools/test.py are; a config called "broken" fails.
TRAIN = """
import os, sys
config, work_dir = sys.argv[1], sys.argv[3]
print('training', config, sys.argv[4:], os.environ.get('OMP_NUM_THREADS'))
if config == 'slow':
    import time
    open(os.path.join(work_dir, 'pid'), 'w').write(str(os.getpid()))
    time.sleep(300)
if config == 'broken':
    sys.exit('no such config')
open(os.path.join(work_dir, 'epoch_2.pth'), 'w').close()
"""
TEST = """
import json, os, sys
assert os.path.isfile(sys.argv[2])
folder = os.path.join(sys.argv[4], 'now')
os.makedirs(folder)
assert sys.argv[5] == '--all-cycles'
metrics = {f'cycle{cycle}/coco/AP': 0.1 * cycle for cycle in (1, 2)}
json.dump(dict(metrics=metrics), open(os.path.join(folder, 'metrics.json'), 'w'))
"""


@pytest.fixture
def tools(tmp_path):
    for name, text in (('train', TRAIN), ('test', TEST)):
        (tmp_path / f'{name}.py').write_text(text)
    return {name: [sys.executable, str(tmp_path / f'{name}.py')] for name in ('train', 'test')}


@pytest.fixture
def make(tmp_path):
    def make(config, metric='coco/AP'):
        return Run(config, {'model.neck.num_cycles': 2}, tmp_path / config / 'seed0', 2, 'epoch_2.pth', metric)

    return make


def test_it_trains_evaluates_every_cycle_and_remembers(tools, make):
    said, run = [], make('good')
    assert run.result() is None
    assert Executor(**tools, jobs=1, threads=1, report=said.append)([run]) == []
    assert run.result() == pytest.approx({1: 0.1, 2: 0.2})
    assert len(said) == 1 and 'coco/AP by cycle 10.0, 20.0' in said[0]
    log = (run.folder / 'run.log').read_text()
    assert "training good ['--no-validate', '--resume', '--cfg-options', 'model.neck.num_cycles=2'] 1" in log


def test_a_failure_does_not_stop_the_others(tools, make):
    said, runs = [], [make('broken'), make('good'), make('other'), make('unknown-metric', 'coco/XY')]
    failed = Executor(**tools, jobs=2, threads=None, report=said.append)(runs)
    assert {run.config for run in failed} == {'broken', 'unknown-metric'}
    assert runs[1].result() and runs[2].result() and runs[0].result() is None and runs[3].result() is None
    assert len(said) == 4
    assert any(line.startswith('FAILED') and line.endswith('broken/seed0/run.log') for line in said)
    assert any("reports no metric 'cycle1/coco/XY', only cycle1/coco/AP, " in line for line in said)
    assert 'no such config' in (runs[0].folder / 'run.log').read_text()


def test_a_finished_training_is_only_evaluated(tools, make):
    run = make('broken')
    run.folder.mkdir(parents=True)
    (run.folder / 'epoch_2.pth').touch()
    assert Executor(**tools, jobs=1, threads=None, report=str)([run]) == []
    assert run.result() == pytest.approx({1: 0.1, 2: 0.2})


def test_a_damaged_result_is_named(make):
    run = make('good')
    run.folder.mkdir(parents=True)
    for text in ('{', '[]', json.dumps(dict(metric={'1': 'high'}))):
        (run.folder / 'result.json').write_text(text)
        with pytest.raises(ConfigError, match='result.json is damaged .* remove it'):
            run.result()


def gone(pid):
    """Whether a process has ended; one that nobody has waited for yet is a zombie."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_the_children(tools, make, tmp_path, number):
    script = textwrap.dedent(f"""
        from pathlib import Path
        from sdpose.apis.tables.execute import Executor
        from sdpose.apis.tables.run import Run
        folder = Path({str(tmp_path)!r})
        runs = [Run('slow', {{}}, folder / str(seed), 1, 'epoch_2.pth', 'coco/AP') for seed in range(3)]
        Executor({tools['train']}, {tools['test']}, 2, None, print)(runs)
    """)
    parent = subprocess.Popen([sys.executable, '-c', script], stderr=subprocess.PIPE, text=True)
    pids = [tmp_path / name / 'pid' for name in '01']
    deadline = time.monotonic() + 60
    while not all(path.is_file() and path.read_text() for path in pids):
        assert time.monotonic() < deadline and parent.poll() is None
        time.sleep(0.1)
    children = [int(path.read_text()) for path in pids]
    parent.send_signal(number)
    said = parent.communicate(timeout=60)[1]
    assert not (tmp_path / '2').exists()  # the third was never started
    if number != signal.SIGKILL:  # they have been waited for
        assert parent.returncode == (-number if number == signal.SIGINT else 128 + number), said
        assert all(map(gone, children))
    elif _kill_with_parent_prefix():
        deadline = time.monotonic() + 60
        while not all(map(gone, children)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    else:
        for pid in children:
            os.kill(pid, signal.SIGTERM)
