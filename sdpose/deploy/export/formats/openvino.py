"""OpenVINO's intermediate representation, an ``.xml`` file with its weights in a ``.bin`` beside it."""

import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from sdpose.deploy.export.graph import AnyGraph
from sdpose.deploy.export.metadata import KEY
from sdpose.deploy.export.request import ExportRequest
from sdpose.deploy.runtime import keep_telemetry_off, openvino_core

from .base import Format, Session, full_batches, package_version
from .onnx import write_onnx

# What the processor computes in; files in fp16 hold half of the bytes and are computed in full precision.
HINTS = {'fp32': 'f32', 'fp16': 'f32', 'bf16': 'bf16', 'int8': 'f32'}


class OpenVinoFormat(Format):
    """By way of ONNX, in memory of a temporary folder."""

    name = 'openvino'
    suffix = '.xml'
    goes_on = True
    needs = {'onnx': 'onnx', 'onnxscript': 'onnxscript', 'openvino': 'openvino'}
    precisions: dict[str, dict[str, str]] = {'fp32': {}, 'fp16': {}, 'bf16': {}, 'int8': {'nncf': 'nncf'}}

    def write(
        self, graph: AnyGraph, request: ExportRequest, file: Path, metadata: str, calibration: np.ndarray | None
    ) -> Path:
        """As :meth:`Format.write`."""
        keep_telemetry_off()
        openvino = import_module('openvino')
        path = file.with_name(file.name + self.suffix)
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / 'graph.onnx'
            write_onnx(graph, request, source)
            model = openvino.convert_model(source)
            if request.precision == 'int8':
                assert calibration is not None
                model = _to_int8(model, full_batches(calibration, request.batch))
            model.set_rt_info(metadata, [KEY])
            openvino.save_model(model, path, compress_to_fp16=request.precision == 'fp16')
        return path

    def open(self, file: Path, precision: str, threads: int = 1) -> Session:
        """As :meth:`Format.open`."""
        core = openvino_core()
        options = {'INFERENCE_NUM_THREADS': threads, 'INFERENCE_PRECISION_HINT': HINTS[precision]}
        compiled = core.compile_model(core.read_model(file), 'CPU', options)
        outputs = [compiled.output(number) for number in range(len(compiled.outputs))]

        def run(*inputs: np.ndarray) -> list[np.ndarray]:
            found = compiled(list(inputs))
            return [np.array(found[output]) for output in outputs]

        hint = compiled.get_property('INFERENCE_PRECISION_HINT').to_string()
        return Session(f'OpenVINO {package_version("openvino")}, CPU in {hint}', run)


def _to_int8(model: Any, calibration: Sequence[np.ndarray]) -> Any:
    """Convolutions and linears in 8 bits, with the recipe for transformers."""
    nncf = import_module('nncf')  # asked for by int8 alone
    data = nncf.Dataset(calibration)
    return nncf.quantize(
        model, data, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(calibration), fast_bias_correction=True
    )
