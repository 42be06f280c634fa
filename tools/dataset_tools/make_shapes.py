"""Draw pictures of simple shapes in class folders (train/CLASS/, val/CLASS/) and a contact sheet."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--out', default='data/shapes', help='folder to make (default: %(default)s)')
    add('--num-train', type=int, default=400, help='training pictures per class (default: %(default)s)')
    add('--num-val', type=int, default=100, help='held-out pictures per class (default: %(default)s)')
    add('--seed', type=int, default=0, help='another seed gives other pictures (default: %(default)s)')
    add('--size', default='48x48', help='WIDTHxHEIGHT in pixels (default: %(default)s)')
    add('--overwrite', action='store_true', help='replace a generated set that was drawn with other arguments')
    return parser.parse_args()


def make(args: argparse.Namespace) -> None:
    from sdpose.io.progress import show_progress
    from sdpose.synthetic.request import parse_size
    from sdpose.synthetic.shapes.generate import SHEET, ShapesRequest, generate_shapes

    out = Path(args.out)
    request = ShapesRequest(args.num_train, args.num_val, args.seed, parse_size(args.size))
    with show_progress('drawing shapes') as progress:
        drawn = generate_shapes(out, request, args.overwrite, progress)
    print(
        f'{out}: {"drawn" if drawn else "already there with the same arguments, nothing to do"}; look at {out / SHEET}'
    )


def main() -> int:
    args = parse_args()
    from sdpose.apis import cli

    return cli.run(lambda: make(args))


if __name__ == '__main__':
    sys.exit(main())
