"""The first convolution of an ONNX graph in blocks of pixels, for ONNX Runtime's 8 bits.

Its convolution in 8 bits gathers pixel by pixel, and three numbers a pixel are too few to be worth it. A convolution of
stride 2 is one of stride 1 over blocks of 2 x 2 pixels with four times the channels.

Shapes: O and C channels out and in, k the side of the kernel, K that of the kernel over blocks.
"""

from typing import Any

import numpy as np

_CHANNELS = 3  # of an image


def split_into_blocks(model: Any) -> bool:
    """Rewrite the convolution of an image, if it has stride 2, in place, with the same sums; say whether there is one.

    Args:
        model: An ONNX model whose input is an image (B, 3, h, w).
    """
    from onnx import helper, numpy_helper

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    height, width = (axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim[2:])
    for place, node in enumerate(model.graph.node):
        weight = constants.get(node.input[1]) if node.op_type == 'Conv' else None
        if weight is None or not _is_halving(node, weight.dims) or height % 2 or width % 2:
            continue
        kernel, pads = over_blocks(numpy_helper.to_array(weight))
        blocks, name = f'{node.name}_blocks', f'{weight.name}_blocks'
        model.graph.initializer.append(numpy_helper.from_array(kernel, name))
        splitting = helper.make_node('SpaceToDepth', [node.input[0]], [blocks], f'{node.name}_split', blocksize=2)
        node.input[0], node.input[1] = blocks, name
        del node.attribute[:]
        node.attribute.extend(
            helper.make_attribute(key, value)
            for key, value in dict(kernel_shape=kernel.shape[2:], strides=(1, 1), pads=pads).items()
        )
        model.graph.node.insert(place, splitting)
        if not any(weight.name in each.input for each in model.graph.node):
            model.graph.initializer.remove(weight)
        return True
    return False


def over_blocks(weight: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """The kernel over blocks (O, 4 C, K, K) of one of stride 2 (O, C, k, k), k odd, and its padding as of ONNX.

    The channels of a block are those of its first pixel, then of the others, row by row.
    """
    reach = weight.shape[2] // 2
    steps = np.arange(-reach, reach + 1)  # pixels from the middle of the kernel
    place, inside = steps // 2 + (reach + 1) // 2, steps % 2
    side = int(place.max()) + 1
    out, channels = weight.shape[:2]
    kernel = np.zeros((out, 2, 2, channels, side, side), weight.dtype)
    for row, (y, down) in enumerate(zip(place, inside)):
        for column, (x, right) in enumerate(zip(place, inside)):
            kernel[:, down, right, :, y, x] = weight[:, :, row, column]
    before, after = (reach + 1) // 2, reach // 2
    return kernel.reshape(out, 4 * channels, side, side), (before, before, after, after)


def _is_halving(node: Any, shape: Any) -> bool:
    """Whether a convolution with weights of a shape (O, C, k, k) reads an image and halves it."""
    from onnx import helper

    options = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    _, channels, height, width = shape
    return (
        channels == _CHANNELS
        and height == width
        and height % 2 == 1
        and options.get('auto_pad', b'NOTSET') == b'NOTSET'
        and [*options.get('strides', ())] == [2, 2]
        and [*options.get('pads', ())] == [height // 2] * 4
        and [*options.get('dilations', (1, 1))] == [1, 1]
        and options.get('group', 1) == 1
    )
