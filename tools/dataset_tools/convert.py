"""Turn what an annotation tool wrote (YOLO-pose folders, Label Studio's JSON) into files of COCO's form."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add(
        'source',
        help="YOLO-pose data (the folder or data.yaml), a folder of label files alone, or Label Studio's JSON export",
    )
    add('--out', required=True, metavar='DIR', help='folder for train.json, val.json ..., or annotations.json')
    add('--images', metavar='DIR', help='folder of the pictures, where the source does not say')
    add(
        '--joints',
        metavar='A,B,C|FILE',
        help='names of the joints in order, or a file with one in a line, where the source does not name them',
    )
    return parser.parse_args()


def convert(args: argparse.Namespace) -> None:
    from sdpose.converters.annotations import convert_annotations

    for done in convert_annotations(**vars(args)):
        for remark in done.remarks:
            print(f'note: {remark}')
        print(f'{done.file}: {done.people} people on {done.pictures} pictures of {done.images}')
        print(f'joints: {", ".join(done.joints)}')


if __name__ == '__main__':
    sys.exit(cli.run(lambda: convert(parse_args())))
