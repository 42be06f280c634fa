"""Check a COCO key point result file, as JSON or as COCO's server takes it, before scoring or uploading it."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog='Exit status: 0 if the file is sound, 2 if not.')
    parser.add_argument('results', help='results.json of tools/test.py, or an archive for the server (.zip)')
    parser.add_argument('annotations', help='annotation file of the images, e.g. image_info_test-dev2017.json')
    parser.add_argument(
        '--num-keypoints',
        type=int,
        metavar='K',
        help='joints per person (default: what the annotation file says, else 17)',
    )
    parser.add_argument(
        '--submit-as', metavar='NAME', help="if the file is sound, also write the archive for COCO's server beside it"
    )
    return parser.parse_args()


def validate(args: argparse.Namespace) -> None:
    from sdpose.errors import DataError, UserError
    from sdpose.evaluation.submission import read_results, server_name, write_submission
    from sdpose.preflight.results import check_results

    if args.num_keypoints is not None and args.num_keypoints < 1:
        raise UserError(f'--num-keypoints {args.num_keypoints}: give at least 1')
    if args.submit_as:
        server_name(args.annotations, args.submit_as)  # refuses a name before the work
    check = check_results(args.results, args.annotations, args.num_keypoints)
    print(
        f'{args.results}: {check.num_results} results of {check.num_keypoints} key points for {check.num_images} '
        f'images of {args.annotations}'
    )
    for remark in check.remarks:
        print(f'  note: {remark}')
    for fault in check.faults:
        print(f'  FAULT: {fault}')
    if check.faults:
        sys.stdout.flush()
        raise DataError(f'{args.results} is not fit for the evaluation: {len(check.faults)} kind(s) of fault')
    print('sound')
    if args.submit_as:
        path = write_submission(read_results(args.results), args.annotations, args.submit_as, Path(args.results).parent)
        print(f'for the server: {path}')


def main() -> int:
    args = parse_args()
    from sdpose.apis import cli

    return cli.run(lambda: validate(args))


if __name__ == '__main__':
    sys.exit(main())
