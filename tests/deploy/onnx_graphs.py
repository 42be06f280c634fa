"""Graphs of three layers, and what ONNX Runtime makes of their files."""

from collections import Counter
from pathlib import Path
from typing import Any

from families import TINY, family

from sdpose.config.load import load_config
from sdpose.deploy.export.graph import DeployedGraph, flip_of, natural_kind
from sdpose.deploy.export.metadata import flip_indices, joints_of

DEPTH = 3


def graph_of(name: str, inside: bool = False, kind: str | None = None) -> Any:
    """The graph of a tiny family of three layers with random weights; where tokens are pruned, behind the first."""
    options: dict[str, Any] = {} if name == 'ikd' else {'model.neck.depth': DEPTH}
    if name in ('ppt', 'evit'):
        options['model.neck.pruner.layers'] = (0,)
    model, _ = family(TINY[name], **options)
    cfg = load_config(TINY[name], options)
    return DeployedGraph(model, cfg, kind or natural_kind(model), flip_of(cfg, flip_indices(joints_of(cfg))), inside)


def loaded(file: Path) -> Any:
    """What ONNX Runtime makes of a file, as a graph."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(file.with_suffix('.loaded'))
    onnxruntime.InferenceSession(str(file), options, providers=['CPUExecutionProvider'])
    return onnx.load(options.optimized_model_filepath)


def count(model: Any) -> Counter[str]:
    """How many operators of each kind there are; a bias that is part of one does not count."""
    return Counter('Gelu' if node.op_type == 'BiasGelu' else node.op_type for node in model.graph.node)
