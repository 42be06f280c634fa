"""Draw how the weights of every layer are distributed, for one checkpoint or two over each other."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402
from sdpose.apis.inspection import command  # noqa: E402


def main() -> None:
    parser = command.parser(__doc__, pictures=False)
    add = parser.add_argument
    add('other', nargs='?', metavar='OTHER', help='another checkpoint, drawn over the first')
    add('--other-config', metavar='CONFIG', help='its config, if it is another one')
    add('--layer', metavar='NAME', help='one layer, such as neck.layers.3 (default: all in one grid)')
    add('--near-zero', type=float, default=0.01, metavar='X', help='weights from -X to X count (default: %(default)s)')
    args = parser.parse_args()
    if args.other_config and not args.other:
        parser.error('--other-config is the config of a second checkpoint, and none is given')
    from sdpose.apis.inspection.crop import load_model
    from sdpose.apis.inspection.parameters import parameter_histogram

    loaded = load_model(args.config, args.checkpoint, args.cfg_options)
    other = load_model(args.other_config or args.config, args.other, args.cfg_options) if args.other else None
    inspection = parameter_histogram(loaded, other, args.layer, args.near_zero)
    print(command.write(inspection, Path(args.out, f'{loaded.name}-parameters')))


if __name__ == '__main__':
    sys.exit(cli.run(main))
