"""The options of ``benchmark.py infer``, and the tables that they ask for."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sdpose.benchmarks.device import PRECISIONS, check_device
from sdpose.benchmarks.table import Table
from sdpose.errors import UserError

if TYPE_CHECKING:
    from .subjects import Subject

RUNTIMES = ('torch', 'onnx', 'openvino', 'ncnn', 'litert')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument('configs', nargs='+', metavar='CONFIG', help='config files or names')
    parser.add_argument('--checkpoint', nargs='+', default=[], help='weights, one file for each config, else random')
    parser.add_argument('--batch', type=int, default=1, help='images at a time (default 1)')
    parser.add_argument('--runtimes', nargs='+', choices=RUNTIMES, help='default: those that are installed')
    parser.add_argument('--compile', action='store_true', help='also torch.compile of the deployed model')
    parser.add_argument('--int8', action='store_true', help='also files in int8, where the runtime has them')
    parser.add_argument('--peers', action='store_true', help='also RTMPose, HRNet, ... of MMPose, and who is ahead')
    parser.add_argument('--profile', action='store_true', help='also time and share of the peak of each part')
    parser.add_argument('--shipping', action='store_true', help='also memory, start and size of an exported folder')
    parser.add_argument('--plot', metavar='FILE.png', help='also the cost of tokens, batch and threads, drawn')
    parser.add_argument('--device', metavar='cuda', help='only torch, on this device, by batch and precision')
    parser.add_argument('--batches', type=int, nargs='+', default=[1, 64], help='with --device (default 1 64)')
    parser.add_argument(
        '--precisions',
        nargs='+',
        choices=PRECISIONS,
        default=['fp32', 'bf16'],
        help='with --device (default: fp32 bf16)',
    )
    parser.add_argument('--rounds', type=int, default=30, help='times that each variant is timed (default 30)')


def run(args: argparse.Namespace) -> list[Table]:
    """The tables that the options ask for.

    Raises:
        UserError: If a config or a checkpoint is wrong, or a runtime is not installed.
    """
    _check(args)
    if args.device:
        return _on_device(args)
    import torch

    from sdpose.benchmarks.machine import machine

    from . import peers, profile, scale, shipping, subjects, variants

    torch.set_num_threads(args.threads)
    rounds = 3 if args.quick else args.rounds
    runtimes = variants.installed(args.runtimes, RUNTIMES, args.int8)
    weights = args.checkpoint or [None] * len(args.configs)
    measured: list[Subject] = [subjects.ours(*pair) for pair in zip(args.configs, weights)]
    by_tokens = scale.by_tokens(measured[0]) if args.plot else {}  # refuses before anything is measured
    others = peers.all_peers() if args.peers else []
    plan = variants.Plan(runtimes, args.batch, args.threads, rounds, args.compile, args.int8)
    results = [variants.measure(subject, plan) for subject in [*measured, *others]]
    where = machine(variants.LIBRARIES)
    clock = "the processor's time" if args.threads == 1 else 'time'
    method = f'{args.threads} thread(s), batch {args.batch}, median {clock} of {rounds} rounds in turns; {where}'
    tables = [variants.table(results, method)]
    if others:
        tables.append(peers.front(results, method))
    if args.profile:
        tables += [profile.table(subject, rounds, method) for subject in measured]
    if args.shipping:
        tables.append(shipping.table(measured, plan, where))
    if args.plot:
        tables.append(scale.table(measured[0], by_tokens, rounds, args.plot, where, args.quick))
    return tables


def _on_device(args: argparse.Namespace) -> list[Table]:
    """The table of ``--device``."""
    check_device(args.device, args.precisions)
    import torch

    from sdpose.benchmarks.machine import machine

    from . import on_device, subjects

    torch.set_num_threads(args.threads)
    weights = args.checkpoint or [None] * len(args.configs)
    measured = [subjects.ours(*pair) for pair in zip(args.configs, weights)]
    device, rounds = torch.device(args.device), 2 if args.quick else args.rounds
    return [on_device.table(measured, device, args.batches, args.precisions, args.compile, rounds, machine())]


def _check(args: argparse.Namespace) -> None:
    """Refuse options that say nothing, before torch is imported.

    Raises:
        UserError: Naming the option.
    """
    if args.checkpoint and len(args.checkpoint) != len(args.configs):
        raise UserError(
            f'--checkpoint names {len(args.checkpoint)} files for {len(args.configs)} configs: '
            'name one for each, or none'
        )
    if args.plot:
        from matplotlib.figure import Figure  # takes a second

        if Path(args.plot).suffix[1:].lower() not in (known := Figure().canvas.get_supported_filetypes()):
            raise UserError(
                f'--plot {args.plot}: name a picture, such as {Path(args.plot).with_suffix(".png")}; drawn are '
                f'{", ".join(sorted(known))}'
            )
