"""Write metainfo, data base and config for pictures of one's own from a COCO-style annotation file."""

import argparse
import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('annotations', type=Path, help='annotation file in the form of COCO key points: people, animals, hands, tools')
    add('--val', type=Path, metavar='FILE', help='annotations of other pictures to validate on')
    add('--val-share', type=float, default=0.1, help='without --val: share of the pictures (default: %(default)s)')
    add('--images', metavar='DIR', help='folder of the pictures (default: looked for around the file)')
    add('--name', help='of the data set (default: that of the file)')
    add('--from', dest='config', metavar='CONFIG', help='whose model and recipe are taken (default: SDPose-S-V1)')
    add('--category', nargs='+', default=(), metavar='NAME', help='which, if several have key points')
    add('--joints', metavar='A,B,C', help='names of the joints, where the file does not tell them')
    add('--out', type=Path, metavar='DIR', help='folder to make (default: the name, or NAME-data if that is taken)')
    add('--force', action='store_true', help='replace a folder that this tool has made before')
    return parser.parse_args()


def main() -> None:
    args = vars(parse_args())
    from sdpose.apis.own_data import Asked, new_dataset

    joints = [name.strip() for name in args['joints'].split(',')] if args['joints'] is not None else ()
    given = {key: value for key, value in args.items() if value is not None}
    made = new_dataset(Asked(**{**given, 'joints': joints}))
    print('\n'.join([f'{made.folder} is written and checked.', *(f'  read: {line}' for line in made.read)]))
    print('\n'.join(f'  guessed: {line}' for line in made.guessed))
    print(f'Look over what is marked as guessed in {made.folder / "metainfo.py"}, then:')
    config, run = shlex.quote(str(made.config)), f'work_dirs/{made.config.stem}'
    tools = str(Path(__file__).resolve().parents[1]).removeprefix(f'{os.getcwd()}/')
    for tool, arguments in (
        ('misc/browse_dataset.py', f'{config} page.png'),
        ('train.py', f'{config} --cfg-options load_from=CHECKPOINT'),
        ('test.py', f'{config} {run}/best_coco_AP_epoch_N.pth'),
        ('deploy/export.py', f'{config} {run}/best_coco_AP_epoch_N.pth --out deployed/'),
    ):
        print(f'  python {shlex.quote(os.path.join(tools, tool))} {arguments}')


if __name__ == '__main__':
    sys.exit(cli.run(main))
