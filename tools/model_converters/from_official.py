"""Convert a checkpoint of the released SDPose, TokenPose, PPT, DistilPose or RLE code to this project's layout."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', metavar='SRC', help='released checkpoint, a path or address')
    parser.add_argument('target', metavar='DST.pth', help='file to write')
    parser.add_argument('--config', help='config of the model; without it, the configs here are searched')
    return parser.parse_args()


def convert(args: argparse.Namespace) -> None:
    from sdpose.converters import convert_file

    print(convert_file(args.source, args.target, args.config).report())
    print(f'{"written":<20}{args.target}')


def main() -> int:
    args = parse_args()
    from sdpose.apis import cli

    return cli.run(lambda: convert(args))


if __name__ == '__main__':
    sys.exit(main())
