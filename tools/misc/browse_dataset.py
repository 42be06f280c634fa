"""Draw samples of a config's data as the model sees them: crops, joints, augmentations and targets, as one PNG."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('config', help="config file, or the name of one of the package's configs")
    add('out', type=Path, help='PNG to write')
    add('--split', choices=['train', 'val', 'test'], default='train', help='whose data and pipeline (default: train)')
    add('--count', type=int, default=8, help='number of samples, a row each (default: %(default)s)')
    add('--times', type=int, default=2, help='how often each is augmented anew (default: %(default)s)')
    add('--seed', type=int, default=0, help='of the augmentation (default: %(default)s)')
    cli.add_override_option(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from sdpose.apis.browsing import browse_dataset

    out = browse_dataset(args.config, args.out, args.split, args.count, args.times, args.seed, args.cfg_options)
    print(f'{out}: in each row the annotated picture, then the crop and the target of {args.times} pass(es)')


if __name__ == '__main__':
    sys.exit(cli.run(main))
