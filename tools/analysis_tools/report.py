"""Tell on one HTML page why key point results, of any framework, have the AP that they have."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add(
        'results',
        help='COCO key point results, as tools/test.py --out writes them (.json), or an archive of them (.zip)',
    )
    add('annotations', help='annotation file to evaluate them with, of COCO or CrowdPose or in their form')
    add('--out', required=True, metavar='DIR', help='folder for index.html and report.json')
    add('--compare', dest='other', metavar='OTHER.json', help='results to compare with, person by person')
    add('--gt-boxes', metavar='FILE.json', help='results of the same model with annotated boxes, to stand beside')
    add('--images', metavar='DIR', help='folder of the images; without it the page has no pictures')
    add(
        '--config',
        help="config whose test data have these joints (default: COCO's or CrowdPose's), and whose published "
        'numbers stand beside',
    )
    return parser.parse_args()


def report(args: argparse.Namespace) -> None:
    from sdpose.apis.report import make_report

    page, remarks = make_report(**vars(args))
    for remark in remarks:
        print(f'note: {remark}')
    print(page)


def main() -> int:
    args = parse_args()
    return cli.run(lambda: report(args))


if __name__ == '__main__':
    sys.exit(main())
