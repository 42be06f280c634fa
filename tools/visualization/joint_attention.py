"""Draw how much keypoint tokens attend to each other, in every layer and cycle."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402
from sdpose.apis.inspection import command  # noqa: E402


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        '--head', type=int, metavar='N', help='one attention head, counted from 0 (default: their mean)'
    )
    args = parser.parse_args()
    from sdpose.apis.inspection.attention import joint_attention

    for line in command.look(args, 'joint-attention', lambda crop: joint_attention(crop, args.head)):
        print(line, flush=True)


if __name__ == '__main__':
    sys.exit(cli.run(main))
