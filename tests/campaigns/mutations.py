"""Change what decides AP or trust, one thing at a time, and see whether the tests notice.

    python tests/campaigns/mutations.py [--only TEXT] [--random N] [--seed S] [--jobs N] [--full]

Each mutation is made in a copy of the checkout, with nothing beside it as in a user's clone, and the tests that should
notice are run. Those of ``code_mutations.py`` and ``config_mutations.py`` are chosen by hand; further ones change a
number or a switch of a config, drawn by the seed. Ends with status 1 if fewer than 95 % are caught, and with 2 if a
mutation's text is gone, or its tests fail or find nothing without it.
"""

import argparse
import ast
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from code_mutations import CODE
from config_mutations import CONFIGS, TEST

ROOT = Path(__file__).parents[2]
NEEDED = 0.95
TIMEOUT = 900
# A fork of a process that has imported what is slow to import and no subject of a mutation.
PROCESSES = multiprocessing.get_context('forkserver')
PROCESSES.set_forkserver_preload(
    ['torch', 'torchvision', 'mmpose.apis', 'mmpose.datasets', 'mmpose.evaluation', 'scipy.io', 'pytest', 'timm']
)
# Of a config, what decides speed or looks alone.
IGNORED = {
    'num_workers',
    'persistent_workers',
    'color',
    'steps',
    'out_dir',
    'enable',
    'opencv_num_threads',
    'cudnn_benchmark',
    'window_size',
    'num_digits',
    'allow_failed_imports',
    'max_epochs',
    'by_epoch',
}
NO_RECIPE = {'default_runtime.py', 'custom_metainfo.py', 'coco_test-dev.py', 'coco_256x192_mmpose-boxes.py'}


class Mutation(NamedTuple):
    """One change: ``old`` becomes ``new`` at its first place in ``file``; ``tests`` are pytest's arguments."""

    name: str
    file: str
    old: str
    new: str
    tests: str


def chosen() -> list[Mutation]:
    """The mutations chosen by hand."""
    code = [Mutation(name, f'sdpose/{file}', old, new, tests) for name, file, old, new, tests in CODE]
    return code + [Mutation(name, f'configs/{file}', old, new, TEST) for name, file, old, new in CONFIGS]


def drawn(count: int, seed: int) -> list[Mutation]:
    """Numbers and switches of configs, changed."""
    places = sorted(
        place for file in (ROOT / 'configs').rglob('*.py') if file.name not in NO_RECIPE for place in _literals(file)
    )
    result = []
    for file, line, start, end, key in random.Random(seed).sample(places, count):
        lines = (ROOT / file).read_text().splitlines(keepends=True)
        text = lines[line - 1]
        new = {'True': 'False', 'False': 'True'}.get(text[start:end]) or f'({text[start:end]} + 1)'
        before = ''.join(lines[: line - 1])
        result.append(
            Mutation(
                f'{Path(file).name}:{line} {key}={new}',
                file,
                before + text,
                before + text[:start] + new + text[end:],
                TEST,
            )
        )
    return result


def _literals(file: Path) -> Iterator[tuple[str, int, int, int, str]]:
    """File, line, columns and key of every number or switch that a ``dict(key=...)`` of a config holds."""
    for node in ast.walk(ast.parse(file.read_text())):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            value = keyword.value
            if (
                isinstance(value, ast.Constant)
                and isinstance(value.value, (bool, int, float))
                and keyword.arg not in IGNORED
            ):
                yield (
                    file.relative_to(ROOT).as_posix(),
                    value.lineno,
                    value.col_offset,
                    value.end_col_offset,
                    keyword.arg,
                )


def copy_of_checkout(parent: Path) -> Path:
    """A copy of the checkout's files, the untracked ones too, in a folder of its own."""
    names = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    target = parent / 'clone'
    for name in filter(None, names.split('\0')):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def run_tests(clone: str, options: list[str], output: str) -> None:
    """pytest in a process of its own, which has imported everything but this project."""
    with open(output, 'w') as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    os.chdir(clone)
    multiprocessing.set_start_method('fork', force=True)  # for the tests' own workers, as everywhere else
    os.environ.update(PYTHONPATH=clone, CUDA_VISIBLE_DEVICES='', PYTHONDONTWRITEBYTECODE='1')
    sys.dont_write_bytecode = True
    sys.path[:0] = [clone]
    import pytest

    status = int(pytest.main(['-q', '-p', 'no:cacheprovider', *options]))
    project = sys.modules.get('sdpose')
    assert project is None or Path(project.__file__).is_relative_to(clone), project.__file__
    sys.stdout.flush()
    os._exit(status)


def status_of(tests: str, clone: Path, *options: str) -> tuple[int, str]:
    """pytest's exit status and the end of its output; 1 for a run that does not end."""
    arguments = [f'tests/{part}' if part.endswith('.py') else part for part in tests.split()]
    output = clone.with_name('output.txt')
    process = PROCESSES.Process(target=run_tests, args=(str(clone), [*options, *arguments], str(output)))
    process.start()
    process.join(TIMEOUT)
    if process.is_alive():
        process.kill()
        process.join()
        return 1, 'timed out'
    return process.exitcode, output.read_text()[-2000:]


def is_caught(mutation: Mutation, clone: Path, full: bool) -> bool:
    """Whether a test fails with this mutation; the copy is as before afterwards."""
    path = clone / mutation.file
    text = path.read_text()
    path.write_text(text.replace(mutation.old, mutation.new, 1))
    try:
        status, output = status_of('' if full else mutation.tests, clone, '-x')
    finally:
        path.write_text(text)
    if status not in (0, 1, 2):  # passed, failed, cannot be imported
        raise SystemExit(f'error: {mutation.name}: pytest ended with {status}\n{output}')
    return status != 0


def check(mutations: list[Mutation], clone: Path) -> None:
    """Refuse a campaign that would prove nothing.

    Raises:
        SystemExit: with status 2, if a text is gone or the tests fail as they are.
    """
    gone = [mutation.name for mutation in mutations if mutation.old not in (ROOT / mutation.file).read_text()]
    if gone:
        sys.stderr.write(f'error: the text of these mutations is gone, bring them up to date: {"; ".join(gone)}\n')
        raise SystemExit(2)
    for tests in sorted(
        {
            part
            for mutation in mutations
            for part in ([mutation.tests] if ' -k ' in mutation.tests else mutation.tests.split())
        }
    ):
        status, output = status_of(tests, clone)
        if status:
            sys.stderr.write(f'error: without a mutation, tests/{tests} end with {status}\n{output}\n')
            raise SystemExit(2)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--only', default='', metavar='TEXT', help='those with this text in their name or file')
    parser.add_argument('--random', type=int, default=20, metavar='N', help='how many literals of configs to change')
    parser.add_argument('--seed', type=int, default=0, help='of their choice')
    parser.add_argument('--jobs', type=int, default=1, metavar='N', help='how many at a time')
    parser.add_argument('--full', action='store_true', help='run the whole suite for each, not the tests named with it')
    return parser.parse_args()


def main() -> int:
    args = arguments()
    os.environ['OMP_NUM_THREADS'] = '1'
    mutations = [
        mutation
        for mutation in chosen() + drawn(args.random, args.seed)
        if args.only in f'{mutation.name} {mutation.file}'
    ]
    started = time.time()
    with tempfile.TemporaryDirectory(prefix='mutations-') as folder:
        clones: SimpleQueue[Path] = SimpleQueue()
        for number in range(args.jobs):
            clones.put(copy_of_checkout(Path(folder) / str(number)))
        check(mutations, Path(folder) / '0' / 'clone')

        def tried(mutation: Mutation) -> bool:
            clone = clones.get()
            try:
                caught = is_caught(mutation, clone, args.full)
            finally:
                clones.put(clone)
            print(f'{"caught" if caught else "SURVIVED":9}{mutation.name} ({mutation.file})', flush=True)
            return caught

        with ThreadPoolExecutor(args.jobs) as pool:
            caught = sum(pool.map(tried, mutations))
    share = caught / max(len(mutations), 1)
    print(
        f'{caught} of {len(mutations)} mutations caught ({share:.1%}), {args.random} drawn with seed {args.seed}, '
        f'{(time.time() - started) / 60:.0f} minutes'
    )
    return 0 if share >= NEEDED else 1


if __name__ == '__main__':
    sys.exit(main())
