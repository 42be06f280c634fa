"""Draw what keypoint tokens attend to over a picture: one joint in all layers and cycles, or all in one layer."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402
from sdpose.apis.inspection import command  # noqa: E402


def main() -> None:
    parser = command.parser(__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument('--joint', metavar='NAME', help='one joint in all layers (default: the first)')
    what.add_argument('--layer', type=int, metavar='N', help='all joints in one layer, counted from 0')
    parser.add_argument(
        '--head', type=int, metavar='N', help='one attention head, counted from 0 (default: their mean)'
    )
    args = parser.parse_args()
    from sdpose.apis.inspection.attention import patch_attention

    for line in command.look(
        args, 'patch-attention', lambda crop: patch_attention(crop, args.joint, args.layer, args.head)
    ):
        print(line, flush=True)


if __name__ == '__main__':
    sys.exit(cli.run(main))
