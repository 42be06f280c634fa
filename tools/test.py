"""Evaluate a checkpoint, or an exported file, on a config's test data."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sdpose  # noqa: E402
from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file; or an exported .onnx or .xml file, or its folder')
    parser.add_argument(
        '--out', metavar='FILE.json', help='write the results (COCO-style ones as pycocotools reads them) here'
    )
    parser.add_argument('--dump', metavar='FILE.pkl', help='write raw predictions here')
    parser.add_argument(
        '--all-cycles',
        action='store_true',
        help='evaluate every cycle of the model in one pass; --out and --dump write a file for each',
    )
    parser.add_argument(
        '--halt',
        type=float,
        nargs='+',
        metavar='THRESHOLD',
        help='a further cycle only for people whose heatmap peaks are lower than that: metrics, cost and a control for '
        'each threshold, as table, halting.json and halting.png beside the log; for an exported file, one threshold',
    )
    parser.add_argument(
        '--halt-by',
        metavar='RULE',
        default='peaks',
        help='what --halt compares: peaks (default); motion, how much the tokens still move (then: more than that); or '
        "a rule of your own, of a module of the config's custom_imports",
    )
    parser.add_argument(
        '--format-only',
        action='store_true',
        help='write the COCO results (--out; default in the work folder), check them, do not score',
    )
    parser.add_argument(
        '--test-dev', action='store_true', help="the same for COCO test-dev 2017 in place of the config's test data"
    )
    parser.add_argument(
        '--report', metavar='DIR', help='write a page that tells why the AP is what it is, and the results, there'
    )
    cli.add_run_options(parser, 'test')
    return parser.parse_args()


def main() -> None:
    args = parse_args()  # before sdpose.test is imported, with torch
    sdpose.test(**vars(args))


if __name__ == '__main__':
    cli.leave(cli.run(main))
