"""What ncnn answers beside PyTorch for every family, as JSON, from a process of its own: python ncnn_families.py."""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from families import TINY, pictures  # noqa: E402
from test_export import graph_of  # noqa: E402

from sdpose.config.nodes import input_size  # noqa: E402
from sdpose.deploy.export import ExportRequest  # noqa: E402
from sdpose.deploy.export.formats import BY_NAME  # noqa: E402


def differences(name: str) -> list[tuple[bool, float]]:
    """Of each output: whether it has PyTorch's shape, and by how much it differs, of its largest number above 1."""
    graph, _, cfg = graph_of(name)
    image = pictures(input_size(cfg)[::-1], 1)
    to = BY_NAME['ncnn']
    with tempfile.TemporaryDirectory() as folder:
        file = to.write(graph, ExportRequest(('ncnn',), batch=1), Path(folder) / name, '', None)
        found = to.open(file, 'fp32').run(image.numpy())
    with torch.no_grad():
        wanted = [value.numpy() for value in graph(image)]
    assert len(found) == len(wanted)
    scales = [max(1.0, float(np.abs(value).max())) for value in wanted]
    return [
        (one.shape == other.shape, float(np.abs(one - other).max()) / scale)
        for one, other, scale in zip(found, wanted, scales)
    ]


if __name__ == '__main__':
    print(json.dumps({name: differences(name) for name in TINY}))
