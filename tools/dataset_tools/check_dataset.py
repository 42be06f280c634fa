"""Say on one page what the data sets of a config lack: entries, pictures, left and right, leaks; and count."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402

SPLITS = ('train', 'val', 'test')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog='Exit status: 1 with an error, 0 with warnings alone.')
    add = parser.add_argument
    add('config', help='config whose data sets are looked at')
    add('--split', nargs='+', choices=SPLITS, default=SPLITS, dest='splits', help='which of them (default: all it has)')
    add('--html', type=Path, metavar='DIR', help='folder for the same as a page with pictures, index.html')
    add(
        '--fix',
        type=Path,
        metavar='OUT.json',
        help='write a copy of the annotation file in which everything with one right answer is repaired',
    )
    add(
        '--workers',
        type=int,
        default=len(os.sched_getaffinity(0)),
        help='processes that decode pictures (default: one per core)',
    )
    cli.add_override_option(parser)
    return parser.parse_args()


def check(args: argparse.Namespace) -> int:
    from sdpose.apis.data_check import check_data

    lines, status = check_data(**vars(args))
    print('\n'.join(lines))
    return status


def main() -> int:
    args = parse_args()
    found: list[int] = []
    return cli.run(lambda: found.append(check(args))) or found[0]


if __name__ == '__main__':
    sys.exit(main())
