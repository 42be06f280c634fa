"""Evaluate a checkpoint on a config's test data."""

import argparse
import sys
from pathlib import Path

from mmengine.config import DictAction

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='where the log and metrics.json go (default: work_dirs/<config name>)')
    parser.add_argument('--out', metavar='FILE.json', help='write the COCO results, which pycocotools reads, here')
    parser.add_argument('--dump', metavar='FILE.pkl', help='write raw predictions here')
    parser.add_argument('--gt-bbox', action='store_true', help="use annotated boxes, not a detector's")
    parser.add_argument('--allow-partial', action='store_true',
                        help='accept a checkpoint that fills the model only in part')
    parser.add_argument('--show-dir', help='save pictures of predictions here')
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--interval', type=int, default=1, help='draw one of so many samples')
    parser.add_argument('--wait-time', type=float, default=1, help='seconds that a window stays')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='override config keys, e.g. test_dataloader.batch_size=8')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how processes find each other')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by some launchers')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    from sdpose.apis import cli, test
    return cli.run(lambda: test(**vars(args)))


if __name__ == '__main__':
    sys.exit(main())
