"""Draw what one or several trainings have logged: losses, their shares, accuracy, and metrics per epoch and cycle."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402
from sdpose.apis.inspection import command  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('runs', nargs='+', metavar='RUN', help='work folder of a training, or its scalars.json')
    add('--keys', nargs='+', default=(), metavar='KEY', help="quantities, such as 'loss_kpt*' (default: the main ones)")
    add('--out', default='work_dirs/curves', metavar='STEM', help='files without their ending (default: %(default)s)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from sdpose.apis.training_curves import training_curves

    print(command.write(training_curves(args.runs, args.keys), Path(args.out)))


if __name__ == '__main__':
    sys.exit(cli.run(main))
