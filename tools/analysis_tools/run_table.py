"""Train and evaluate the rows of an ablation table over several seeds, and report them beside the paper's numbers."""

import argparse
import sys
from functools import partial
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS.parent))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog='Finished trainings are not repeated; an interrupted '
                                     'one goes on from its newest checkpoint.')
    add = parser.add_argument
    add('names', nargs='+', metavar='TABLE', help='tables of the file, e.g. table5; equal rows of several run once')
    add('--file', default=str(TOOLS.parent / 'configs/sdpose/ablations.yml'), metavar='FILE.yml',
        help='the tables (default: configs/sdpose/ablations.yml)')
    add('--scale', default='mini', metavar='mini|gpu|full',
        help="a tiny model on the CPU, the full-size one on one GPU, or the paper's training (default: %(default)s)")
    add('--data', metavar='synthetic|coco', help="what to train on (default: the scale's own)")
    add('--data-root', metavar='FOLDER', help='where the data are; synthetic ones are drawn there')
    add('--seeds', type=int, default=3, metavar='N', help='trainings per row (default: %(default)s)')
    add('--jobs', type=int, default=1, metavar='N', help='trainings at a time; each takes a GPU if there are several')
    add('--gpus', type=int, default=1, metavar='N', help='processes of one training, a GPU each; needs --jobs 1')
    add('--work-dir', default='work_dirs/tables', help='where everything is written (default: %(default)s)')
    add('--report-only', action='store_true', help='report what is finished, train nothing')
    return parser.parse_args()


def run(gpus: int, **arguments) -> None:
    from sdpose.apis.tables import run_table
    from sdpose.errors import UserError
    if gpus < 1 or (gpus > 1 and arguments['jobs'] > 1):
        raise UserError(f'--gpus {gpus}: give at least 1, and more than 1 only with --jobs 1')
    launch = [sys.executable]
    if gpus > 1:
        launch = ['env', f'PYTHON={sys.executable}', 'bash', str(TOOLS / 'misc/launch.sh'), str(gpus)]
    train, test = ([*launch, str(TOOLS / f'{name}.py')] for name in ('train', 'test'))
    for report in run_table(train=train, test=test, say=partial(print, flush=True), **arguments):
        print(f'\n{report.read_text(encoding="utf-8")}\nwritten: {report}, {report.with_suffix(".png")}')


def main() -> int:
    args = parse_args()
    from sdpose.apis import cli
    return cli.run(lambda: run(**vars(args)))


if __name__ == '__main__':
    sys.exit(main())
