"""Train and evaluate the rows of a table of the paper over several seeds, and report them beside its numbers.

With --row: the whole reproduction of one row. With --collect: a report of trainings that were run before.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS.parent))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Finished trainings are not repeated; an interrupted one goes on from its newest checkpoint.',
    )
    add = parser.add_argument
    add('names', nargs='+', metavar='TABLE', help='tables of the file, e.g. table1; equal rows of several run once')
    add(
        '--file',
        default=str(TOOLS.parent / 'configs/sdpose/tables.yml'),
        metavar='FILE.yml',
        help='the tables (default: configs/sdpose/tables.yml)',
    )
    add(
        '--row',
        metavar='ROW',
        help='reproduce this row, e.g. sdpose-s-v1: check the data, train, test with detector '
        'and annotated boxes, publish, and write the row with its environment',
    )
    add('--collect', nargs='+', metavar='WORK_DIR', help='train nothing, report the results of these work folders')
    add(
        '--scale',
        default='mini',
        metavar='mini|fresh|gpu|full',
        help='a tiny model on the CPU, one that sees each drawn person once (the tables beyond...), the full-size one '
        "on one GPU, or the paper's training (default: %(default)s)",
    )
    add('--data', metavar='DATA', help="what to train on, e.g. synthetic or coco (default: the table's own)")
    add('--data-root', metavar='FOLDER', help='where the data are; synthetic ones are drawn there')
    add('--any-data', action='store_true', help='take the data as they are: neither drawn nor compared with the known')
    add('--seeds', type=int, metavar='N', help='trainings per row (default: 3, with --row 1)')
    add('--jobs', type=int, default=1, metavar='N', help='trainings at a time; each takes a GPU if there are several')
    add('--gpus', type=int, default=1, metavar='N', help='processes of one training, a GPU each; needs --jobs 1')
    add('--work-dir', default='work_dirs/tables', help='where everything is written (default: %(default)s)')
    add('--report-only', action='store_true', help='report what is finished, train nothing')
    cli.add_override_option(parser)
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    from sdpose.apis.tables import Means, collect, reproduce, run_table
    from sdpose.errors import UserError

    say = partial(print, flush=True)
    alone = '--collect' if args.collect else '--row' if args.row else None
    if alone and len(args.names) > 1:
        raise UserError(f'{alone} is about one table, not {", ".join(args.names)}')
    for other, given in (('--row', args.row), ('--report-only', args.report_only)):
        if given and alone and alone != other:
            raise UserError(f'{alone} and {other} exclude each other')
    launch = [sys.executable]
    if args.gpus > 1:
        launch = ['env', f'PYTHON={sys.executable}', 'bash', str(TOOLS / 'misc/launch.sh'), str(args.gpus)]
    train, test = ([*launch, str(TOOLS / f'{name}.py')] for name in ('train', 'test'))
    means = Means(train, test, say, args.jobs, args.gpus, args.any_data)
    common = dict(
        scale=args.scale, data=args.data, work_dir=args.work_dir, data_root=args.data_root, options=args.cfg_options
    )
    if args.collect:
        reports = [collect(args.file, args.names[0], args.collect, say, args.work_dir)]
    elif args.row:
        seeds = 1 if args.seeds is None else args.seeds
        reports = [reproduce(args.file, args.names[0], args.row, means, seeds=seeds, **common)]
    else:
        seeds = 3 if args.seeds is None else args.seeds
        reports = run_table(args.file, args.names, means, seeds=seeds, report_only=args.report_only, **common)
    for report in reports:
        print(
            f'\n{report.read_text(encoding="utf-8")}\nwritten: {report}, '
            f'{report.with_suffix(".json" if args.row else ".png")}'
        )


def main() -> int:
    return cli.run(lambda: run(parse_args()))


if __name__ == '__main__':
    sys.exit(main())
