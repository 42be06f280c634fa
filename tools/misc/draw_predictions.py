"""Draw the people of a result file beside the annotated ones, over pictures of a config's test data, as one PNG."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('config', help='config file, whose test data give pictures, annotations, limbs, sides and colors')
    add('results', type=Path, help='key point results (COCO or MPII), as tools/test.py --out writes them')
    add('out', type=Path, help='PNG to write')
    add('--count', type=int, default=12, help='number of pictures (default: %(default)s)')
    add('--least-score', type=float, default=0.2, help='leave out joints and people below (default: %(default)s)')
    add('--annotations', metavar='FILE', help="another annotation file than the test data's")
    add('--images', metavar='FOLDER', help="another folder of pictures than the test data's")
    cli.add_override_option(parser)
    return parser.parse_args()


def draw(args: argparse.Namespace) -> None:
    from sdpose.apis.predicted_pictures import draw_predictions

    out = draw_predictions(
        args.config,
        args.results,
        args.out,
        args.count,
        args.least_score,
        args.annotations,
        args.images,
        args.cfg_options,
    )
    print(f'{out}: annotated people on the left, predicted ones with their scores on the right')


def main() -> int:
    args = parse_args()
    return cli.run(lambda: draw(args))


if __name__ == '__main__':
    sys.exit(main())
