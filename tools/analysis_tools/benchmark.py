"""Speed as a ratio to a named baseline, both sides measured in turns in one run."""

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sdpose.apis import cli  # noqa: E402

# Each is a module of sdpose.benchmarks, quick to import, with add_arguments(parser) and run(args) -> tables.
SUBJECTS = {
    'demo': "pictures and boxes to key points, beside a loop over MMPose's inference_topdown",
    'train': "the training step beside the released code's way to compute it: time, memory, share of the peak",
    'infer': 'the deployed model in torch and in every runtime, beside the model by hand and other models',
    'data': "the training loader beside MMPose's own pipeline",
    'metric': "COCO's and CrowdPose's evaluation: time and memory beside MMPose's",
    'decode': "the decoding of heatmaps beside MMPose's codec",
    'scale': 'what boxes, images, annotations, workers and processes cost: a curve for each, as a picture',
    'test': 'loading and cropping of the boxes of an evaluation, beside MMPose',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    subjects = parser.add_subparsers(dest='subject', required=True)
    for name, text in SUBJECTS.items():
        subject = subjects.add_parser(name, help=text, description=text)
        subject.add_argument('--threads', type=int, default=1, help='threads of torch and of the runtimes (default 1)')
        subject.add_argument('--json', metavar='FILE', help='write every number there')
        subject.add_argument('--markdown', metavar='FILE', help='write the tables there')
        subject.add_argument('--quick', action='store_true', help='few rounds: to see it run, not to cite its numbers')
        import_module(f'sdpose.benchmarks.{name}').add_arguments(subject)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from sdpose.benchmarks.counts import require_counts
    from sdpose.io.folders import require_writable

    require_counts(args)
    for option in ('json', 'markdown', 'plot'):
        if path := getattr(args, option, None):
            require_writable(Path(path).absolute().parent, f'--{option} {path}')
    for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS'):  # read when the libraries are loaded
        os.environ[name] = str(args.threads)
    tables = import_module(f'sdpose.benchmarks.{args.subject}').run(args)
    text = '\n'.join(table.markdown() for table in tables)
    sys.stdout.write(f'{text}\n')
    from sdpose.io.atomic import atomic_write

    contents = {args.markdown: text, args.json: json.dumps([table.as_json() for table in tables], indent=1)}
    for path, content in contents.items():
        if path:
            with atomic_write(path, 'w', encoding='utf-8') as file:
                file.write(f'{content}\n')


if __name__ == '__main__':
    sys.exit(cli.run(main))
