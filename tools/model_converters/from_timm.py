"""Convert a DeiT checkpoint of timm or of the DeiT release to this project's layout."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', metavar='SRC', help='checkpoint, .pth or .safetensors')
    parser.add_argument('target', metavar='DST.pth', help='file to write')
    parser.add_argument('--config', help='config of the model (default: DeiT-Tiny on ImageNet)')
    return parser.parse_args()


def convert(args: argparse.Namespace) -> None:
    from sdpose.converters.from_timm import DEFAULT_CONFIG, convert_timm_file

    config = args.config or DEFAULT_CONFIG
    count = convert_timm_file(args.source, args.target, config)
    print(f'{args.target}: {count} tensors, which fill the model of {config} exactly')


def main() -> int:
    args = parse_args()
    from sdpose.apis import cli

    return cli.run(lambda: convert(args))


if __name__ == '__main__':
    sys.exit(main())
