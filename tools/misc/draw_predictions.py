"""Draw the skeletons of a COCO result file over the pictures of a data set, as one PNG."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('annotations', type=Path, help='COCO annotation file of the pictures')
    parser.add_argument('images', type=Path, help='folder of the pictures')
    parser.add_argument('results', type=Path, help='COCO results, as tools/test.py --out writes them')
    parser.add_argument('out', type=Path, help='PNG to write')
    parser.add_argument('--count', type=int, default=12, help='number of pictures (default: %(default)s)')
    parser.add_argument(
        '--least-score', type=float, default=0.2, help='leave out joints and people below (default: %(default)s)'
    )
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    from sdpose.apis import cli
    from sdpose.visualization import draw_predictions

    return cli.run(
        lambda: draw_predictions(args.annotations, args.images, args.results, args.out, args.count, args.least_score)
    )


if __name__ == '__main__':
    sys.exit(main())
