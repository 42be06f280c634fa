"""A graph of a single image whose attention has no batch axis, for ONNX Runtime.

Heads that stand first, (h, T, d), are a view of tokens (T, h, d) that ONNX Runtime's matrix products read in place; the
batch axis before them costs a copy of queries, keys and values in every layer.
"""

import copy
from typing import Any, TypeVar

from torch import nn

from sdpose.deploy.single_pass import PlainLayer, QueryLayer, SinglePass

_Module = TypeVar('_Module', bound=nn.Module)


def alone(graph: _Module, batch: int | None) -> _Module:
    """A copy of a graph that answers the same in fewer steps, of one image at a time; else the graph itself.

    A layer that is pruned behind stays as it is, since the pruner reads its attention, and so does a graph that runs
    the mirror image beside the image.

    Args:
        graph: What is exported.
        batch: As of the request.
    """
    if batch != 1 or getattr(graph, 'inside', False) or not any(type(part) is SinglePass for part in graph.modules()):
        return graph
    graph = copy.deepcopy(graph)
    for part in graph.modules():
        if type(part) is SinglePass:
            for layer in _unpruned(part):
                layer.alone = True
    return graph


def _unpruned(neck: SinglePass) -> list[Any]:
    """The plain layers behind which nothing is pruned in the deployed cycle or a further one."""
    pruner: Any = neck.pruner
    cycles = range(1, neck.cycles + 2)
    layers = [
        layer
        for index, layer in enumerate(neck.layers)
        if type(layer) is PlainLayer and not (pruner and any(pruner.applies(index, cycle) for cycle in cycles))
    ]
    return layers if type(neck.last) is not QueryLayer else [*layers, neck.last]
