"""Cut the people of a config's training data out of their pictures, so that training decodes no full picture."""

import argparse
import os
import shlex
import sys
from math import inf
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('config', help='config file, whose training data and pipeline settle what is cut out')
    add('--out', type=Path, required=True, metavar='DIR', help='folder of the cache; an unfinished one is finished')
    add(
        '--format',
        choices=('raw', 'jpeg'),
        default='raw',
        help='pixels as they are (default; a COCO person takes 0.5 MB) or JPEG with full colour resolution (a fifth to '
        'a seventh of it, read at a quarter of the speed, pixels differ by 0.5 to 0.8 levels in the mean)',
    )
    add('--quality', type=int, default=95, help='of JPEG (default: %(default)s)')
    add(
        '--margins',
        type=float,
        default=1.0,
        help='times what the augmentation can reach; 0.8 takes 84 %% of the room of COCO and makes 0.013 %% of the '
        'pixels black (default: %(default)s)',
    )
    add(
        '--max-resolution',
        type=float,
        default=0.0,
        metavar='K',
        help="people whose box is more than K times as wide as the model's input are stored at K times its width; that "
        'smooths them, and a small input can lose AP (default: 0, all as they are)',
    )
    add(
        '--workers',
        type=int,
        default=len(os.sched_getaffinity(0)),
        help='processes; any number gives the same files (default: one per core)',
    )
    add('--overwrite', action='store_true', help='replace a cache of other data or with other options')
    cli.add_override_option(parser)
    return parser.parse_args()


def check(args: argparse.Namespace) -> None:
    from sdpose.errors import UserError

    for option, fine, range_ in (
        ('quality', 1 <= args.quality <= 100, '1 to 100'),
        ('margins', 0 < args.margins <= 1, 'more than 0, up to 1'),
        ('max_resolution', args.max_resolution == 0 or 1 <= args.max_resolution < inf, '0, or 1 and more'),
        ('workers', args.workers >= 1, 'at least 1'),
    ):
        if not fine:
            raise UserError(f'--{option.replace("_", "-")} {getattr(args, option)}: give {range_}')


def build(args: argparse.Namespace) -> None:
    from sdpose.config.find import find_config
    from sdpose.config.load import load_config
    from sdpose.config.variables import read_config
    from sdpose.datasets.crop_cache.build import Storing, build_crop_cache
    from sdpose.io.progress import show_progress
    from sdpose.preflight.crop_cache import check_data_to_cut, reads_crops

    check(args)
    cfg = load_config(args.config, args.cfg_options)
    check_data_to_cut(cfg)
    storing = Storing(args.format, args.quality, args.margins, args.max_resolution)
    command = shlex.join(['python', 'tools/dataset_tools/build_crop_cache.py', *sys.argv[1:]])
    with show_progress('cutting out people') as progress:
        built = build_crop_cache(cfg, args.out, storing, command, args.workers, args.overwrite, progress)
    there = f', {built.kept} of {built.shards} files were there already' if built.kept else ''
    print(f'{args.out}: {built.people} people, {built.bytes / 1e9:.3g} GB{there}')
    step = dict(type='LoadCachedCrop', cache=str(args.out))
    if not reads_crops(cfg, step['cache']):
        follows = reads_crops(read_config(find_config(args.config), {'load_step': step}), step['cache'])
        said = 'load_step = ' if follows else 'the first step of the training pipeline is '
        print(f'in the config: {said}dict(type={step["type"]!r}, cache={step["cache"]!r})')


if __name__ == '__main__':
    sys.exit(cli.run(lambda: build(parse_args()), '; the same command goes on where it ended'))
