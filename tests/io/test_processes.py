"""Work shared among processes: they end with the one that started them."""

import os
import subprocess
import sys
import time
from pathlib import Path

_KILLED = """
import os, signal
from sdpose.io.processes import in_processes

def work(job):
    return os.getpid(), bytes(1 << 20)  # more than a pipe holds, so that a worker waits in the middle of sending

seen = set()
for pid, _ in in_processes(work, range(60), 3):
    seen.add(pid)
    if len(seen) == 3:
        print(*seen, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def _is_alive(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def test_workers_end_after_a_kill_of_their_parent(repo_root: Path, tmp_path: Path) -> None:
    env = dict(os.environ, PYTHONPATH=str(repo_root))
    with open(tmp_path / 'pids', 'w+') as said:
        done = subprocess.run([sys.executable, '-c', _KILLED], stdout=said, env=env, timeout=60)
    assert done.returncode == -9
    pids = [int(pid) for pid in (tmp_path / 'pids').read_text().split()]
    deadline = time.monotonic() + 20
    while (alive := [pid for pid in pids if _is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in alive:
        os.kill(pid, 9)
    assert len(pids) == 3 and not alive
