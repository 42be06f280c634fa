"""Print a config's parameters and multiply-adds: the deployed single pass and one training forward."""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--json', action='store_true', help='print absolute numbers as JSON')
    cli.add_override_option(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from sdpose import complexity
    from sdpose.config.load import load_config
    from sdpose.config.nodes import input_size

    config = load_config(args.config, args.cfg_options)
    result = complexity(config)
    if args.json:
        print(json.dumps(result))
        return
    width, height = input_size(config)
    print(f'{args.config}\ninput {width}x{height} (w x h), one image, multiply-adds (FLOPs are twice as many)\n')
    print(f'{"":<34}{"params (M)":>12}{"published (G)":>16}{"true (G)":>12}')
    rows = (('inference', 'deployed pass'), ('training', 'training forward, all cycles'))
    for key, label in rows:
        numbers = result[key]
        print(
            f'{label:<34}{numbers["params"] / 1e6:>12.4f}{numbers["macs_published"] / 1e9:>16.4f}'
            f'{numbers["macs"] / 1e9:>12.4f}'
        )
    print(
        '\nparams: trainable ones. published: the convention of the papers, without the two attention products,\n'
        'norms and ReLU counted. true: convolutions and all matrix products, attention included.'
    )


if __name__ == '__main__':
    sys.exit(cli.run(main))
