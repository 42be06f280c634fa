"""Train a model from a config file."""

import argparse
import sys
from pathlib import Path

from mmengine.config import DictAction

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go (default: work_dirs/<config name>)')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
                        help='go on from this checkpoint, or from the newest one in the work folder')
    parser.add_argument('--amp', action='store_true', help='mixed precision (float32 on a machine without a GPU)')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate during training')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help="scale the learning rate by the actual over the config's base batch size")
    parser.add_argument('--gt-bbox', action='store_true', help="validate on annotated boxes, not a detector's")
    parser.add_argument('--allow-partial', action='store_true',
                        help='accept a checkpoint that fills the model only in part')
    parser.add_argument('--show-dir', help='save pictures of validation predictions here')
    parser.add_argument('--show', action='store_true', help='show validation predictions in a window')
    parser.add_argument('--interval', type=int, default=1, help='draw one of so many samples')
    parser.add_argument('--wait-time', type=float, default=1, help='seconds that a window stays')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='override config keys, e.g. train_cfg.max_epochs=10 optim_wrapper.optimizer.lr=5e-4')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how processes find each other')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by some launchers')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    from sdpose.apis import cli, train
    return cli.run(lambda: train(**vars(args)))


if __name__ == '__main__':
    sys.exit(main())
