"""Draw a synthetic set of people: pictures, keypoint annotations in a data set's format and a contact sheet."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', help='folder to make (default: data/synthetic_STYLE)')
    parser.add_argument(
        '--style',
        default='coco',
        metavar='coco|crowdpose|mpii',
        help='joints and files of this data set (default: %(default)s)',
    )
    parser.add_argument('--num-train', type=int, default=1500, help='training pictures (default: %(default)s)')
    parser.add_argument('--num-val', type=int, default=200, help='held-out pictures (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='another seed gives other people (default: %(default)s)')
    parser.add_argument(
        '--level', metavar='starter|normal|hard|crowd', help='difficulty (default: crowd for crowdpose, else normal)'
    )
    parser.add_argument('--size', default='640x480', help='WIDTHxHEIGHT in pixels (default: %(default)s)')
    parser.add_argument(
        '--workers',
        type=int,
        default=len(os.sched_getaffinity(0)),
        help='processes; any number gives the same files (default: one per core)',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace a synthetic set that was drawn with other arguments'
    )
    return parser.parse_args()


def make(args: argparse.Namespace) -> None:
    from sdpose.errors import UserError
    from sdpose.io.progress import show_progress
    from sdpose.synthetic.generate import SHEET, generate
    from sdpose.synthetic.request import Request, find_style, parse_size

    if args.workers < 1:
        raise UserError(f'--workers {args.workers}: give at least 1')
    level = args.level or find_style(args.style).level
    out = Path(args.out or f'data/synthetic_{args.style}')
    request = Request(args.num_train, args.num_val, args.seed, level, parse_size(args.size), args.style)
    with show_progress('drawing people') as progress:
        drawn = generate(out, request, args.workers, args.overwrite, progress)
    print(
        f'{out}: {"drawn" if drawn else "already there with the same arguments, nothing to do"}; look at {out / SHEET}'
    )


def main() -> int:
    args = parse_args()
    from sdpose.apis import cli

    return cli.run(lambda: make(args))


if __name__ == '__main__':
    sys.exit(main())
