"""Draw a student beside its teacher: joints, heatmaps, attention and features of both, and how far they are apart."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402
from sdpose.apis.inspection import command  # noqa: E402


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument('--teacher', metavar='CHECKPOINT', help="the teacher's checkpoint, in place of the config's")
    args = parser.parse_args()
    from sdpose.apis.inspection.teaching import compare_teacher, name_teacher

    if args.teacher:
        args.cfg_options = name_teacher(args.config, args.teacher, args.cfg_options)
    for line in command.look(args, 'teacher', compare_teacher):
        print(line, flush=True)


if __name__ == '__main__':
    sys.exit(cli.run(main))
