"""Use a GPU for a given time: speed of training and inference, then trainings; each result is written at once."""

import argparse
import sys
from functools import partial
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS.parent))

from sdpose.apis import cli  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=15, help='time for everything (default: %(default)g)')
    parser.add_argument('--out', default='work_dirs/gpu_benchmark', help='folder of the results (default: %(default)s)')
    parser.add_argument('--device', default='cuda', help='cuda, or cpu with --small (default: %(default)s)')
    parser.add_argument('--small', action='store_true', help='tiny models and data, to see it run')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from sdpose.benchmarks.on_a_card import Request, run_parts

    request = Request(Path(args.out).absolute(), args.minutes, args.device, args.small)
    summary = run_parts(request, TOOLS, partial(print, flush=True))
    print(f'written: {summary}')


if __name__ == '__main__':
    sys.exit(cli.run(main))
