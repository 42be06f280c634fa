"""Run by torch.distributed.run in two processes: each evaluates its share of the same generated people."""

import json
import sys
from pathlib import Path

import sdpose  # noqa: F401  (before MMEngine launches)

# isort: split
from mmengine.dist import get_rank, init_dist
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from sdpose.benchmarks.generated_people import World, generate
from sdpose.evaluation import ArrayCocoMetric


def main(folder: Path) -> None:
    init_dist('pytorch', backend='gloo')
    rank = get_rank()
    file = folder / 'people.json'
    samples = generate(World(8, seed=9), folder / f'of_{rank}.json')
    most = 3 * len(samples) // 4
    even = [*samples, samples[0]] if len(samples) % 2 else samples
    deals = dict(
        stretches=samples[:most] if rank == 0 else samples[most:], turns=even[rank::2], one=samples if rank == 0 else []
    )
    for deal, share in deals.items():
        metric = ArrayCocoMetric(ann_file=str(file), outfile_prefix=str(folder / deal))
        metric.dataset_meta = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
        for first in range(0, len(share), 7):
            metric.process([], share[first : first + 7])
        found = metric.evaluate(len(samples))
        (folder / f'{deal}.{rank}.json').write_text(json.dumps({name: float(value) for name, value in found.items()}))


if __name__ == '__main__':
    main(Path(sys.argv[1]))
