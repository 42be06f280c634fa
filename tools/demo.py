"""Find the joints of people in pictures, a folder, a video or the frames of a camera."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
# What OpenCV and FFmpeg say of a damaged file; the tool says it in its own line. Read when OpenCV is imported.
os.environ.setdefault('OPENCV_LOG_LEVEL', 'OFF')
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')

from sdpose.apis import cli  # noqa: E402

_FORMS = {
    'images': "overlays below visualizations/ (default, but for a video's or a camera's frames)",
    'video': "overlays as one video (default for a video's or a camera's frames)",
    'json': "predictions/NAME.json in MMPose's format (default)",
    'coco': 'results.json, which pycocotools reads',
    'npz': 'poses.npz: everything in arrays',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog='More: sdpose/apis/inference/README.md')
    add = parser.add_argument
    add('inputs', nargs='+', metavar='INPUT', help="pictures, a folder, 'a pattern*.jpg', a video, or webcam:0")
    add('--weights', help='checkpoint, or exported file or its folder (default: <config>-<hash>.pth in $SDPOSE_HOME)')
    add('--config', help='config of a checkpoint; without it, the one inside the checkpoint is taken')
    add('--out', help='folder for what is written; a broken run over files goes on there')
    add(
        '--boxes', nargs='+', metavar='FILE|X1,Y1,X2,Y2', help='detection or annotation file (COCO), or boxes in pixels'
    )
    add('--detector', metavar='NAME[=FILE]', help='where no boxes are given (default: the whole picture is one person)')
    add('--box-score', type=float, default=0.3, help='leave out detections with a lower score (default: %(default)s)')
    add(
        '--detect-every', type=int, default=1, metavar='N', help='detect on every n-th frame, between follow the joints'
    )
    add('--track', action='store_true', help='number people over the frames')
    flip = parser.add_mutually_exclusive_group()
    flip.add_argument('--flip-test', action='store_true', default=None, help='average with the mirror image')
    flip.add_argument('--no-flip-test', dest='flip_test', action='store_false', help='do not (default: as the config)')
    add('--batch-size', type=int, help='people at once (default: 8 on the CPU, else 32)')
    add('--device', default='cpu', help='where a checkpoint runs, such as cuda:0 (default: %(default)s)')
    add('--halt', type=float, metavar='SCORE', help='run a further cycle only for people with a lower mean score')
    add('--halt-by', metavar='RULE', default='peaks', help='rule of --halt: peaks (default), motion or your own')
    for form, text in _FORMS.items():
        add(f'--save-{form}', dest='forms', action='append_const', const=form, help=text)
    add('--show', action='store_true', help='show overlays in a window; Esc or q ends')
    add('--wait-time', type=float, default=0, help='seconds that a picture stays (default: until a key is pressed)')
    add('--least-score', type=float, default=0.3, help='draw no joints with a lower score (default: %(default)s)')
    add('--fps', type=float, help="frames per second of the written video (default: the input's, or 25)")
    add('--codec', help='four characters of its codec (default: mp4v, or MJPG for .avi)')
    add('--video-form', choices=['mp4', 'avi'], default='mp4', help='kind of the written video (default: %(default)s)')
    cli.add_override_option(parser)
    return parser.parse_args()


def read_boxes(texts: list[str] | None) -> Any:
    """The file of boxes, or their numbers."""
    from sdpose.errors import UserError

    if not texts or len(texts) == 1 and ',' not in texts[0]:
        return texts[0] if texts else None
    try:
        boxes = [[float(number) for number in text.split(',')] for text in texts]
    except ValueError as error:
        raise UserError(f'--boxes {" ".join(texts)}: give one file, or x1,y1,x2,y2 of each person') from error
    if any(len(box) != 4 for box in boxes):
        raise UserError(f'--boxes {" ".join(texts)}: give left, top, right, bottom of each person: 10,20,110,220')
    return boxes


def demo(args: argparse.Namespace) -> None:
    from sdpose import PoseInferencer
    from sdpose.apis.inference.run import RunOptions, run

    boxes = read_boxes(args.boxes)
    inferencer = PoseInferencer(
        args.config,
        args.weights,
        args.device,
        args.detector,
        args.flip_test,
        args.batch_size,
        args.box_score,
        args.cfg_options,
        args.halt,
        args.halt_by,
    )
    options = RunOptions(
        forms=args.forms,
        show=args.show,
        wait=args.wait_time,
        least_score=args.least_score,
        fps=args.fps,
        codec=args.codec,
        video=f'.{args.video_form}',
    )
    run(inferencer, args.inputs, args.out, boxes, args.detect_every, args.track, options)


def main() -> int:
    args = parse_args()
    return cli.run(lambda: demo(args), after_stop='; with --out, the same command goes on from there')


if __name__ == '__main__':
    sys.exit(main())
