"""Reduce a trained checkpoint to what a deployed model reads, and prove that it predicts the same."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import sdpose  # noqa: E402
from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out', help='folder, for FOLDER/<config>-<hash>.pth, or PREFIX, for PREFIX-<hash>.pth')
    parser.add_argument('--metrics', metavar='metrics.json', help='figures to record, as tools/test.py wrote them')
    parser.add_argument('--safetensors', action='store_true', help='write .safetensors, which is read as a .pth is')
    cli.add_override_option(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()  # before sdpose.publish is imported, with torch
    done = sdpose.publish(**vars(args))
    equal = 'equal' if done.difference == 0 else f'at most {done.difference:.1e} apart'
    print(
        f'{done.file}\n'
        f'{done.file.stat().st_size / 2**20:.1f} MiB, {done.tensors} tensors; '
        f'predictions before and after: {equal}'
    )
    if done.stripped:
        print(f'without {len(done.stripped)} tensors that only training reads')
    if done.dropped:
        print(f'left out of the checkpoint: {", ".join(done.dropped)}')


if __name__ == '__main__':
    sys.exit(cli.run(main))
