"""Give wrong command lines to every tool and count how it answers: ``command_lines.py FOLDER [--count N] [--seed S]``.

The parent imports everything once, trains one checkpoint on drawn people, and runs the tools of Python in forks of
itself, each with a limit of time. An answer is

- clear: one line with ``error:`` that has the word which names the fault, and status 2; or, where a run may go on, a
  warning with that word,
- a traceback: or another status,
- silent: the tool did something, as if nothing were wrong, or refused it without naming the fault,
- a hang: no end within the limit.

It ends with status 1 if any is not clear. The command lines are those of ``wrong_command_lines.py``; the seed chooses
some of them, and their order.
"""

import argparse
import json
import os
import random
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from mmengine.runner import Runner

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from stick_people import CONFIG, write_coco  # noqa: E402
from wrong_command_lines import Wrong, every_one, write_files  # noqa: E402

import sdpose.apis.tables  # noqa: E402,F401
from sdpose import publish, test, train  # noqa: E402,F401

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 90
KINDS = ('clear', 'traceback', 'silent', 'hang')
_LAUNCHED = ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT', 'PORT', 'NNODES', 'NODE_RANK')


def run(wrong: Wrong, words: dict[str, str], log: Path) -> tuple[int | None, str]:
    """The status of a command line, None for a hang, and what it said."""
    args = [words.get(arg, arg) for arg in wrong.args]
    tool = str(_ROOT / 'tools' / wrong.tool)
    child = os.fork()
    if child == 0:
        os.setsid()
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1), os.dup2(descriptor, 2), os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.update((key, words.get(value, value)) for key, value in wrong.env)
        if tool.endswith('.sh'):
            os.execvp('bash', ['bash', tool, *args])
        os._exit(_run_python(tool, args))
    end = time.monotonic() + _SECONDS
    status = None
    while status is None and time.monotonic() < end:
        done, found = os.waitpid(child, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(found)
        else:
            time.sleep(0.02)
    if status is None:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return status, log.read_text(errors='replace')


def _run_python(tool: str, args: list[str]) -> int:
    """Run a tool as its user does; its status."""
    sys.argv = [tool, *args]
    sys.path.insert(0, os.path.dirname(tool))
    status: object = 0
    try:
        runpy.run_path(tool, run_name='__main__')
    except SystemExit as stop:
        status = stop.code
    except BaseException as error:
        import traceback

        traceback.print_exception(error)
        status = 1
    if isinstance(status, str):
        sys.stderr.write(f'{status}\n')
    sys.stdout.flush(), sys.stderr.flush()
    return status if isinstance(status, int) else int(status is not None)


def kind_of(wrong: Wrong, status: int | None, said: str) -> str:
    """How a wrong command line was answered."""
    lines = [line for line in said.splitlines() if 'error: ' in line or 'usage: bash' in line]
    warnings = [line for line in said.splitlines() if 'WARNING' in line]
    if status is None:
        return 'hang'
    if status not in (0, 2) or 'Traceback' in said:
        return 'traceback'
    told = warnings if status == 0 else lines if len(lines) == 1 else []
    return 'clear' if any(wrong.names in line for line in told) else 'silent'


def prepare(folder: Path) -> dict[str, str]:
    """Data, configs and a checkpoint; the words of command lines that stand for them."""
    folder.mkdir(parents=True)
    write_coco(folder / 'data')
    write_files(folder, _ROOT)
    (folder / 'tiny.py').write_text(CONFIG.format(root=_ROOT))
    os.chdir(folder)
    for name in _LAUNCHED:
        os.environ.pop(name, None)
    os.environ.update(CUDA_VISIBLE_DEVICES='', OMP_NUM_THREADS='1', PYTHON=sys.executable, PYTHONPATH=str(_ROOT))
    Runner._log_env = lambda self, env_cfg: None  # asks compilers for their versions
    options = ['train_cfg.max_epochs=1', 'train_cfg.val_interval=1', 'default_hooks.checkpoint.interval=1']
    options += ['train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False']
    for tool, *args in (
        ('train.py', 'tiny.py', '--work-dir', 'work', '--cfg-options', *options),
        ('test.py', 'tiny.py', 'work/epoch_1.pth', '--work-dir', 'tested', '--out', 'results.json'),
    ):
        status, said = run(Wrong(tool, tuple(args), ''), {}, folder / 'said.txt')
        if status:
            raise SystemExit(f'a right command line fails ({tool}, {status}):\n{said[-3000:]}')
    best = next((folder / 'work').glob('best_*.pth'))
    return dict(BEST=str(best), VAL='data/coco/annotations/person_keypoints_val2017.json')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--count', type=int, help='how many of the command lines (default: all)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--only', default='', metavar='TEXT', help='those that have this text')
    args = parser.parse_args()
    folder, begin = args.folder.absolute(), time.monotonic()
    words = prepare(folder)
    lines = [each for each in every_one() if args.only in ' '.join((each.tool, *each.args))]
    chosen = random.Random(args.seed).sample(lines, min(args.count or len(lines), len(lines)))
    counts: Counter[str] = Counter()
    with socket.socket() as taken:
        taken.bind(('', 0))
        taken.listen()
        words['TAKEN'] = str(taken.getsockname()[1])
        for wrong in chosen:
            subprocess.run(['rm', '-rf', 'out', 'drawn'], check=True)
            status, said = run(wrong, words, folder / 'said.txt')
            kind = kind_of(wrong, status, said)
            counts[kind] += 1
            if kind != 'clear':
                told = dict(kind=kind, status=status, wanted=wrong.names, env=wrong.env, said=said[-600:])
                print(f'{" ".join((wrong.tool, *wrong.args))}\n  {json.dumps(told)}', flush=True)
    tools = len({wrong.tool for wrong in chosen})
    print(
        f'{len(chosen)} wrong command lines of {tools} tools, seed {args.seed}: '
        f'{", ".join(f"{counts[kind]} {kind}" for kind in KINDS)} ({time.monotonic() - begin:.0f} s)'
    )
    return int(counts['clear'] < len(chosen))


if __name__ == '__main__':
    sys.exit(main())
