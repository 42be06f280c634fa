"""Train a model from a config file."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sdpose  # noqa: E402
from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or from the newest one in the work folder',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (float32 on a machine without a GPU)')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate during training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help="scale the learning rate by the actual over the config's base batch size",
    )
    cli.add_run_options(parser, 'validation')
    return parser.parse_args()


def main() -> None:
    args = parse_args()  # before sdpose.train is imported, with torch
    sdpose.train(**vars(args))


if __name__ == '__main__':
    cli.leave(cli.run(main, after_stop='; --resume goes on from the newest checkpoint'))
