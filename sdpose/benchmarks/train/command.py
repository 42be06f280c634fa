"""The options of ``benchmark.py train``, and the table that they ask for."""

import argparse
from time import perf_counter, process_time

from sdpose.benchmarks.device import PRECISIONS, check_device
from sdpose.benchmarks.table import Table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument('configs', nargs='+', metavar='CONFIG', help='config files or names, of SDPose or TokenPose')
    parser.add_argument('--batch', type=int, default=4, help='images of a step (default 4)')
    parser.add_argument(
        '--precisions', nargs='+', choices=PRECISIONS, default=['fp32', 'bf16'], help='default: fp32 bf16'
    )
    parser.add_argument('--device', default='cpu', help='cpu (default), cuda or cuda:N')
    parser.add_argument('--checkpoint-cycles', action='store_true', help='also with each cycle checkpointed')
    parser.add_argument('--channels-last', action='store_true', help='also with channels last')
    parser.add_argument('--compile', action='store_true', help='also with the cycles compiled')
    parser.add_argument('--fused', action='store_true', help="also with Adam's fused step")
    parser.add_argument('--without-baseline', action='store_true', help='leave the released way out, for a large batch')
    parser.add_argument('--rounds', type=int, default=7, help='steps that each variant is timed (default 7)')


def run(args: argparse.Namespace) -> list[Table]:
    """The table.

    Raises:
        UserError: If a config is wrong or of another method, or the device is not there.
    """
    import torch

    from . import measure, report

    check_device(args.device, args.precisions)
    torch.set_num_threads(args.threads)
    plan = measure.Plan(
        torch.device(args.device),
        args.batch,
        tuple(args.precisions),
        tuple(name for name in measure.OPTIONS if getattr(args, name)),
        not args.without_baseline,
        2 if args.quick else args.rounds,
        # What else runs on the machine takes none of a single thread's own time.
        process_time if args.device == 'cpu' and args.threads == 1 else perf_counter,
    )
    return [report.table([measure.measure(config, plan) for config in args.configs], plan, args.threads)]
