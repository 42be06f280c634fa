"""Make a data set of COCO's form from a video or pictures that nobody has labelled, by the joints of a teacher."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('input', help='a video, a folder of pictures, or a pattern such as "photos/*.jpg"')
    add('--out', required=True, metavar='DIR', help='folder to make: train/, val/, annotations/ and a contact sheet')
    add(
        '--teacher',
        default='mediapipe',
        metavar='mediapipe[=WHEEL]',
        help="MediaPipe's person finder and landmarks, in an installed mediapipe 0.10.21 or in its wheel",
    )
    add('--tiles', type=int, default=1, help='look for smaller people in so many rows and columns (default: 1)')
    add('--joints', metavar='A,B,C|FILE', help="names of the joints to label (default: COCO's 17), or a file of them")
    add('--every', type=int, default=1, help='take every so-manieth frame or picture (default: 1)')
    add('--box-score', type=float, default=0.3, help='boxes with a lower score are left out (default: 0.3)')
    add('--least', type=float, default=0.5, help='how sure the teacher must be of a person and a joint (default: 0.5)')
    add('--val-share', type=float, default=0.2, help='share of the pictures, the last ones, that is held out (0.2)')
    return parser.parse_args()


def label_input(args: argparse.Namespace) -> None:
    from sdpose.apis.pseudo_labels import label_by_name
    from sdpose.io.progress import show_progress

    with show_progress('pictures') as progress:
        done = label_by_name(**vars(args), progress=progress)
    for split, part in done.items():
        print(f'{args.out}/{split}: {part.people} people on {len(part.pictures)} pictures')
    print(f'{args.out}/contact_sheet.png shows what was labelled: look at it')


if __name__ == '__main__':
    sys.exit(cli.run(lambda: label_input(parse_args())))
