"""Draw a score against parameters and multiply-adds, for every model with a result in the metafiles."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402
from sdpose.apis.inspection import command  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--dataset', default='COCO', help='as the metafiles name it (default: %(default)s)')
    parser.add_argument('--metric', default='AP', help='as the metafiles name it (default: %(default)s)')
    parser.add_argument('--out', default=command.OUT, metavar='DIR', help='folder to write to (default: %(default)s)')
    args = parser.parse_args()
    from sdpose.apis.inspection.complexity import accuracy_against_complexity

    inspection = accuracy_against_complexity(args.dataset, args.metric)
    print(command.write(inspection, Path(args.out, f'{args.dataset}-{args.metric}-complexity'.lower())))


if __name__ == '__main__':
    sys.exit(cli.run(main))
