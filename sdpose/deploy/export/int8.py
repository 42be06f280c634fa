"""An ONNX file in 8 bits: convolutions and linears, and nothing else, in the form that ONNX Runtime is fastest with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .blocks import split_into_blocks
from .decoding import decoding_nodes
from .graph import INPUT

_LINEAR = ['MatMul', 'Gemm']


def to_int8(path: Path, calibration: Sequence[np.ndarray]) -> None:
    """Put convolutions and linears into 8 bits; attention's products, additions, concatenations and norms stay.

    A linear answers in float32: its sums are scaled once, where rounding them to 8 bits for a norm or an addition,
    which read float32, would cost two more passes and accuracy. A convolution is rounded to what its ReLU leaves.

    Args:
        path: The file, which is replaced.
        calibration: Batches of normalized images (B, 3, h, w), which say how large activations are.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Crops(CalibrationDataReader):
        """The images, batch by batch."""

        def __init__(self) -> None:
            self.rest = iter(calibration)

        def get_next(self) -> dict[str, np.ndarray] | None:
            images = next(self.rest, None)
            return None if images is None else {INPUT: images}

    prepared = path.with_suffix('.prepared.onnx')
    model = onnx.load(path)
    split_into_blocks(model)
    onnx.save(model, path)
    quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
    model = onnx.load(prepared)
    quantize_static(
        str(prepared),
        str(path),
        Crops(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=['Conv', 'Relu', *_LINEAR],
        nodes_to_exclude=[*products_of_activations(model), *decoding_nodes(model)],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options=dict(OpTypesToExcludeOutputQuantization=_LINEAR),
    )
    prepared.unlink()


def products_of_activations(model: Any) -> list[str]:
    """The names of the matrix products, such as attention's, in which neither factor is a constant."""
    constants = {tensor.name for tensor in model.graph.initializer}
    made = {output: node for node in model.graph.node for output in node.output}

    def fixed(name: str) -> bool:
        node = made.get(name)
        if name in constants or (node is not None and node.op_type == 'Constant'):
            return True
        return node is not None and node.op_type in ('Transpose', 'Identity') and fixed(node.input[0])

    products = (node for node in model.graph.node if node.op_type == 'MatMul')
    return [node.name for node in products if not any(fixed(name) for name in node.input)]
