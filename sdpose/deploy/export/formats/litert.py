"""LiteRT (TensorFlow Lite): a ``.tflite`` file; its converter wants an environment of its own."""

import logging
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from sdpose.deploy.export.graph import AnyGraph, DeployedGraph
from sdpose.deploy.export.request import ExportRequest
from sdpose.errors import ConfigError

from .base import Format, Session, package_version


class LiteRtFormat(Format):
    """The metadata lie beside the file. It takes images as PyTorch does, channels first."""

    name = 'litert'
    suffix = '.tflite'
    needs = {'litert_torch': 'litert-torch', 'ai_edge_litert': 'ai-edge-litert'}
    precisions: dict[str, dict[str, str]] = {'fp32': {}, 'int8': {'ai_edge_quantizer': 'ai-edge-quantizer'}}
    calibrates = False
    hint = ' (into an environment of its own: it brings jax and transformers)'

    def require(self, request: ExportRequest) -> None:
        """As :meth:`Format.require`; the batch is fixed."""
        super().require(request)
        if request.batch is None:
            raise ConfigError('--format litert has a fixed batch: give --batch 1')

    def names(self, graph: DeployedGraph) -> tuple[str, list[str]]:
        """As :meth:`Format.names`: the converter numbers them."""
        return 'args_0', [f'output_{number}' for number in range(len(graph.names))]

    def write(
        self, graph: AnyGraph, request: ExportRequest, file: Path, metadata: str, calibration: np.ndarray | None
    ) -> Path:
        """As :meth:`Format.write`; int8 holds weights of 8 bits and needs no calibration."""
        # No requirement of the project: it lives in an environment of its own.
        converter = import_module('litert_torch')
        path = file.with_name(file.name + self.suffix)
        logging.getLogger().setLevel(logging.ERROR)
        converter.convert(graph.eval(), graph.example(request.batch or 1)).export(str(path))
        if request.precision == 'int8':
            tools = import_module('ai_edge_quantizer')
            dynamic = tools.quantizer.Quantizer(str(path))
            dynamic.load_quantization_recipe(tools.recipe.dynamic_wi8_afp32())
            dynamic.quantize().export_model(str(path), overwrite=True)
        return path

    def open(self, file: Path, precision: str, threads: int = 1) -> Session:
        """As :meth:`Format.open`."""
        interpreter: Any = import_module('ai_edge_litert.interpreter').Interpreter(
            model_path=str(file), num_threads=threads
        )
        interpreter.allocate_tensors()
        runner = interpreter.get_signature_runner()
        names = sorted(runner.get_output_details(), key=lambda name: int(name.rpartition('_')[2]))

        def run(image: np.ndarray) -> list[np.ndarray]:
            found = runner(args_0=image)
            return [found[name] for name in names]

        # It runs 4 to 11 times slower where the delegate takes nothing over, and says so nowhere else.
        delegated = any(each['op_name'] == 'DELEGATE' for each in interpreter._get_ops_details())
        place = f'CPU {"with" if delegated else "without"} XNNPACK'
        return Session(f'LiteRT {package_version("ai-edge-litert")}, {place}', run)
