"""Draw what each cycle predicts, and how far its tokens and joints are from the next cycle's."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402
from sdpose.apis.inspection import command  # noqa: E402


def main() -> None:
    args = command.parser(__doc__).parse_args()
    from sdpose.apis.inspection.cycles import compare_cycles

    for line in command.look(args, 'cycles', compare_cycles):
        print(line, flush=True)


if __name__ == '__main__':
    sys.exit(cli.run(main))
