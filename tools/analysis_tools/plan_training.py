"""Print what a training takes on given cards: speed, memory, cores for the loader, time, and what bounds it."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('config', help='config file')
    add('--gpus', type=int, default=1, metavar='N', help='cards, a process each (default 1)')
    add(
        '--kind',
        default='h200',
        metavar='KIND|FILE.json',
        help='v100, t4, rtx3090, rtx4090, l4, l40s, a100, h100, h200 (estimates from their data sheets), '
        'or what benchmark.py train --json measured on the card (default: %(default)s)',
    )
    add('--precision', choices=('fp32', 'tf32', 'fp16', 'bf16'), help="default: the config's")
    add('--batch', type=int, metavar='N', help="images of each process (default: the config's)")
    add('--samples', type=int, metavar='N', help='samples of an epoch, where the data are neither here nor known')
    add('--cores', type=int, metavar='N', help='cores of the machine (default: as many as are needed)')
    add(
        '--loader',
        metavar='MS|FILE.json',
        help='milliseconds per sample of one core, or what benchmark.py data measured',
    )
    add('--json', metavar='FILE', help='write every number there')
    cli.add_override_option(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from sdpose.benchmarks.planning.command import Wish, as_json, plan_table
    from sdpose.config.load import load_config
    from sdpose.io.atomic import atomic_write

    wish = Wish(args.gpus, args.kind, args.precision, args.batch, args.samples, args.cores, args.loader)
    table, made = plan_table(load_config(args.config, args.cfg_options), wish)
    sys.stdout.write(f'{table.markdown()}\n')
    if args.json:
        with atomic_write(args.json, 'w', encoding='utf-8') as file:
            file.write(f'{as_json(made)}\n')


if __name__ == '__main__':
    sys.exit(cli.run(main))
