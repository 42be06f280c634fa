"""Export a trained model to files that run without PyTorch, each compared with PyTorch before it is left in place."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import sdpose  # noqa: E402,F401
from sdpose.apis import cli  # noqa: E402


def batch_size(text: str) -> int | None:
    if text == 'dynamic':
        return None
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f'{text!r} is neither a number nor dynamic')
    return int(text)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('config', help='config file')
    add('checkpoint', help='checkpoint of a training, or a published one')
    add('--out', required=True, metavar='DIR', help='folder to write; with several formats, a folder for each in it')
    add('--format', nargs='+', default=['onnx'], metavar='NAME', help='onnx (default), openvino, ncnn, litert')
    add('--precision', default='fp32', help='fp32 (default), fp16, bf16 or int8')
    add('--batch', type=batch_size, default=None, metavar='N', help='images at a time, or dynamic (default)')
    add('--flip-test', action='store_true', help='run and average the mirror image inside the graph')
    add('--opset', type=int, metavar='N', help='version of the ONNX operators, 13 to 23 (default: 18)')
    add('--outputs', help='heatmaps, joints (decoded inside) or simcc (for rtmlib); default: what the head predicts')
    add('--cycles', type=int, default=1, metavar='N', help='also a file for cycles 2 to N, run for who needs them')
    cli.add_override_option(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from sdpose.deploy.export import ExportRequest, export, table

    request = ExportRequest(
        formats=tuple(args.format),
        precision=args.precision,
        batch=args.batch,
        flip_test=args.flip_test,
        opset=args.opset,
        outputs=args.outputs,
        cycles=args.cycles,
    )
    done = export(args.config, args.checkpoint, args.out, request, args.cfg_options)
    print('\n\n'.join(f'{each.file}\n{table(each.report)}' for each in done))


if __name__ == '__main__':
    sys.exit(cli.run(main))
