"""Draw which patches of a picture survive pruning, after every layer that prunes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402
from sdpose.apis.inspection import command  # noqa: E402


def main() -> None:
    args = command.parser(__doc__).parse_args()
    from sdpose.apis.inspection.pruning import pruned_patches

    for line in command.look(args, 'pruned-patches', pruned_patches):
        print(line, flush=True)


if __name__ == '__main__':
    sys.exit(cli.run(main))
