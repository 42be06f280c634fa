"""ONNX, run by ONNX Runtime."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sdpose.deploy.export.alone import alone
from sdpose.deploy.export.decoding import decoding_nodes
from sdpose.deploy.export.graph import AnyGraph
from sdpose.deploy.export.int8 import to_int8
from sdpose.deploy.export.metadata import KEY
from sdpose.deploy.export.request import ExportRequest
from sdpose.errors import ConfigError

from .base import Format, Session, full_batches, package_version, quiet

_FIRST_OF_NEWER = 18  # below it, torch's newer exporter writes 18 all the same, or a file that is not valid
_FIRST_WITH_GELU = 20


class OnnxFormat(Format):
    """A single ``.onnx`` file, with the metadata inside."""

    name = 'onnx'
    suffix = '.onnx'
    goes_on = True
    needs = {'onnx': 'onnx', 'onnxscript': 'onnxscript', 'onnxruntime': 'onnxruntime'}
    precisions: dict[str, dict[str, str]] = {'fp32': {}, 'fp16': {}, 'int8': {}}

    def write(
        self, graph: AnyGraph, request: ExportRequest, file: Path, metadata: str, calibration: np.ndarray | None
    ) -> Path:
        """As :meth:`Format.write`."""
        import onnx

        path = file.with_name(file.name + self.suffix)
        write_onnx(alone(graph, request.batch), request, path)
        if request.precision == 'fp16':
            _to_half(path)
        elif request.precision == 'int8':
            assert calibration is not None
            with quiet():
                to_int8(path, full_batches(calibration, request.batch))
        model = onnx.load(path)
        onnx.helper.set_model_props(model, {KEY: metadata})
        onnx.save(model, path)
        return path

    def open(self, file: Path, precision: str, threads: int = 1) -> Session:
        """As :meth:`Format.open`."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(file), options, providers=['CPUExecutionProvider'])
        inputs = [each.name for each in session.get_inputs()]
        names = [output.name for output in session.get_outputs()]
        runtime = f'ONNX Runtime {package_version("onnxruntime")}, {", ".join(session.get_providers())}'
        return Session(runtime, lambda *given: session.run(names, dict(zip(inputs, given))))


def write_onnx(graph: AnyGraph, request: ExportRequest, path: Path) -> None:
    """Write a graph in full precision.

    Args:
        graph: What the file holds.
        request: Its batch and opset are read.
        path: The file.

    Raises:
        ConfigError: If an operator is not in the opset.
    """
    import onnx

    opset = request.onnx_opset
    inputs = graph.example(request.batch or 2)  # a batch of 1 would be taken for a constant
    shared: dict[str, Any] = dict(
        input_names=list(graph.inputs), output_names=list(graph.names), opset_version=opset, verbose=False
    )
    try:
        with quiet(), torch.no_grad():
            if opset >= _FIRST_OF_NEWER:
                free = {0: torch.export.Dim('batch', min=1)}
                shapes = None if request.batch else (free,) * len(inputs)
                own: dict[Any, Any] = {torch.ops.aten.gelu.default: _gelu} if opset < _FIRST_WITH_GELU else {}
                torch.onnx.export(
                    graph,
                    inputs,
                    path,
                    dynamo=True,
                    dynamic_shapes=shapes,
                    external_data=False,
                    custom_translation_table=own,
                    **shared,
                )
            else:
                axes = None if request.batch else {name: {0: 'batch'} for name in (*graph.inputs, *graph.names)}
                torch.onnx.export(graph, inputs, str(path), dynamo=False, dynamic_axes=axes, **shared)
    except (torch.onnx.OnnxExporterError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(f'--opset {opset}: the graph has no form in it ({reason}); choose another opset') from error
    model = onnx.load(path)
    written = next(each.version for each in model.opset_import if not each.domain)
    if written != opset:
        raise ConfigError(f'--opset {opset}: torch wrote opset {written}, because an operator is not in {opset}')
    _forget_source(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _forget_source(model: Any) -> None:
    """Take out what torch notes of each operator: stack traces with paths of this machine, a fifth of a small file."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField('doc_string')
        part.ClearField('metadata_props')


def _gelu(x: Any, approximate: str = 'none') -> Any:
    """GELU in the order of operators that ONNX Runtime knows and computes in one step; torch writes it in another."""
    from onnxscript import opset18 as op

    if approximate == 'tanh':
        inner = op.Mul(op.Add(x, op.Mul(op.Mul(op.Mul(x, x), x), 0.044715)), math.sqrt(2 / math.pi))
        bent = op.Tanh(inner)
    else:
        bent = op.Erf(op.Div(x, math.sqrt(2)))
    return op.Mul(op.Mul(x, op.Add(bent, 1.0)), 0.5)


def _to_half(path: Path) -> None:
    """Weights and arithmetic in float16; the input, the outputs and the decoding stay in float32."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = onnx.load(path)
    with quiet():
        half = convert_float_to_float16(
            model, keep_io_types=True, node_block_list=decoding_nodes(model), disable_shape_infer=False
        )
    onnx.save(half, path)
