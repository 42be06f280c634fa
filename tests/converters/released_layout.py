"""Checkpoints of the released code, built key by key from a table of their layout; values are random."""

import math
from typing import Any

import torch
from torch import Tensor

from sdpose.converters import convert_model

Shapes = dict[str, tuple[int, ...]]
_BATCH_NORM = ('weight', 'bias', 'running_mean', 'running_var')


def token_weights(module: dict[str, Tensor], patch_size: tuple[int, int]) -> dict[str, Tensor]:
    """A released token module alone (or its gradients) under our names, all of them known; no position embedding."""
    whole = convert_model({f'keypoint_head.tokenpose.{key}': value for key, value in module.items()}, patch_size)
    assert not whole.unknown, list(whole.unknown)
    return whole.weights


def batch_norm(name: str, channels: int) -> Shapes:
    return {**{f'{name}.{key}': (channels,) for key in _BATCH_NORM}, f'{name}.num_batches_tracked': ()}


def stem_net(width: int = 64, blocks: int = 4) -> Shapes:
    return {**stem(width), **bottlenecks(width, width, blocks)}


def stem(width: int) -> Shapes:
    return {
        'conv1.weight': (width, 3, 3, 3),
        **batch_norm('bn1', width),
        'conv2.weight': (width, width, 3, 3),
        **batch_norm('bn2', width),
    }


def bottlenecks(stem: int, middle: int, count: int) -> Shapes:
    """``layer1``: bottlenecks that widen ``stem`` channels to four times ``middle``."""
    shapes: Shapes = {}
    for block in range(count):
        name = f'layer1.{block}'
        shapes[f'{name}.conv1.weight'] = (middle, stem if block == 0 else 4 * middle, 1, 1)
        shapes[f'{name}.conv2.weight'] = (middle, middle, 3, 3)
        shapes[f'{name}.conv3.weight'] = (4 * middle, middle, 1, 1)
        for number, channels in ((1, middle), (2, middle), (3, 4 * middle)):
            shapes.update(batch_norm(f'{name}.bn{number}', channels))
    shapes['layer1.0.downsample.0.weight'] = (4 * middle, stem, 1, 1)
    return {**shapes, **batch_norm('layer1.0.downsample.1', 4 * middle)}


def conv_bn(name: str, out: int, channels: int, kernel: int) -> Shapes:
    return {f'{name}.0.weight': (out, channels, kernel, kernel), **batch_norm(f'{name}.1', out)}


def fusion(name: str, source: int, target: int, width: int) -> Shapes:
    """One path of a fusion between resolutions; resolution r has width * 2**r channels."""
    channels = width * 2**source
    if source > target:
        return conv_bn(name, width * 2**target, channels, 1)
    shapes: Shapes = {}
    for step in range(target - source):
        last = step == target - source - 1
        shapes.update(conv_bn(f'{name}.{step}', width * 2**target if last else channels, channels, 3))
    return shapes


def hrnet(width: int, stage1: int, num_stages: int) -> Shapes:
    """MMPose's HRNet; the last module of the last stage fuses into the highest resolution alone."""
    shapes = {**stem(64), **bottlenecks(64, stage1, 4)}
    shapes.update(conv_bn('transition1.0', width, 4 * stage1, 3))
    shapes.update(conv_bn('transition1.1.0', 2 * width, 4 * stage1, 3))
    for stage, modules in ((2, 1), (3, 4), (4, 3))[: num_stages - 1]:
        if stage > 2:
            new = stage - 1
            shapes.update(conv_bn(f'transition{new}.{new}.0', width * 2**new, width * 2 ** (new - 1), 3))
        for module in range(modules):
            name = f'stage{stage}.{module}'
            for branch in range(stage):
                for block in range(4):
                    for number in (1, 2):
                        channels = width * 2**branch
                        layer = f'{name}.branches.{branch}.{block}'
                        shapes[f'{layer}.conv{number}.weight'] = (channels, channels, 3, 3)
                        shapes.update(batch_norm(f'{layer}.bn{number}', channels))
            highest_only = stage == num_stages and module == modules - 1
            for target in range(1 if highest_only else stage):
                for source in range(stage):
                    if source != target:
                        shapes.update(fusion(f'{name}.fuse_layers.{target}.{source}', source, target, width))
    return shapes


def token_module(
    transformer: str,
    depth: int,
    joints: int,
    patches: int,
    patch_inputs: int,
    head: str,
    dim: int = 192,
    pixels: int = 3072,
) -> Shapes:
    """The token module; ``head`` is ``'heatmap'`` or the number of regressed values."""
    shapes = {
        'keypoint_token': (1, joints, dim),
        'pos_embedding': (1, patches, dim),
        'patch_to_embedding.weight': (dim, patch_inputs),
        'patch_to_embedding.bias': (dim,),
    }
    for layer in range(depth):
        name = f'{transformer}.layers.{layer}'
        shapes.update(
            {
                f'{name}.0.fn.norm.weight': (dim,),
                f'{name}.0.fn.norm.bias': (dim,),
                f'{name}.0.fn.fn.to_qkv.weight': (3 * dim, dim),
                f'{name}.0.fn.fn.to_out.0.weight': (dim, dim),
                f'{name}.0.fn.fn.to_out.0.bias': (dim,),
                f'{name}.1.fn.norm.weight': (dim,),
                f'{name}.1.fn.norm.bias': (dim,),
                f'{name}.1.fn.fn.net.0.weight': (3 * dim, dim),
                f'{name}.1.fn.fn.net.0.bias': (3 * dim,),
                f'{name}.1.fn.fn.net.3.weight': (dim, 3 * dim),
                f'{name}.1.fn.fn.net.3.bias': (dim,),
            }
        )
    shapes.update({'mlp_head.0.weight': (dim,), 'mlp_head.0.bias': (dim,)})
    hidden = pixels // 8
    if head == 'heatmap' and dim <= hidden / 2:
        shapes.update(
            {
                'mlp_head.1.weight': (hidden, dim),
                'mlp_head.1.bias': (hidden,),
                'mlp_head.2.weight': (hidden,),
                'mlp_head.2.bias': (hidden,),
                'mlp_head.3.weight': (pixels, hidden),
                'mlp_head.3.bias': (pixels,),
            }
        )
    else:
        outputs = pixels if head == 'heatmap' else int(head)
        shapes.update({'mlp_head.1.weight': (outputs, dim), 'mlp_head.1.bias': (outputs,)})
    return shapes


def flow() -> Shapes:
    """RealNVP: six couplings, each with a scale and a translation net 2-64-64-2."""
    shapes = {'flow_model.loc': (2,), 'flow_model.cov': (2, 2), 'flow_model.mask': (6, 2)}
    for net in 'st':
        for coupling in range(6):
            for layer, (out, width) in ((0, (64, 2)), (2, (64, 64)), (4, (2, 64))):
                shapes[f'flow_model.{net}.{coupling}.{layer}.weight'] = (out, width)
                shapes[f'flow_model.{net}.{coupling}.{layer}.bias'] = (out,)
    return shapes


def sine_table(rows: int, columns: int, dim: int = 192) -> Tensor:
    """The stored position embedding, number by number as the reference defines it."""
    half = dim // 2

    def code(place: int, count: int) -> list[float]:
        angles = [2 * math.pi * place / (count + 1e-6) / 10000 ** (2 * (j // 2) / half) for j in range(half)]
        return [math.cos(angle) if j % 2 else math.sin(angle) for j, angle in enumerate(angles)]

    return torch.tensor([code(r, rows) + code(c, columns) for r in range(1, rows + 1) for c in range(1, columns + 1)])


# backbone, name of the transformer, depth, (rows, columns) of patches, values per patch, head, config.
STEM, W32, W32_64, W48, W48_FULL = (
    stem_net,
    lambda: hrnet(32, 32, 3),
    lambda: hrnet(32, 64, 3),
    lambda: hrnet(48, 64, 3),
    lambda: hrnet(48, 64, 4),
)
PLAIN, CYCLED = 'transformer', 'transformer_layer1'
MODELS: dict[str, tuple[Any, ...]] = {
    'sdpose-t': (STEM, CYCLED, 6, (16, 16), 3072, 'heatmap', 'sdpose-t_stemnet_8xb64-300e_coco-256x192'),
    'sdpose-s-v1': (STEM, CYCLED, 12, (16, 16), 3072, 'heatmap', 'sdpose-s-v1_stemnet_8xb64-300e_coco-256x192'),
    'sdpose-s-v2': (STEM, CYCLED, 12, (32, 24), 1024, 'heatmap', 'sdpose-s-v2_stemnet_8xb24-300e_coco-256x192'),
    'sdpose-b': (W32, CYCLED, 12, (16, 16), 384, 'heatmap', 'sdpose-b_hrnet-w32_8xb32-300e_coco-256x192'),
    'sdpose-b-64': (
        W32_64,
        CYCLED,
        12,
        (16, 16),
        384,
        'heatmap',
        'sdpose-b_hrnet-w32-stage1-64_8xb32-300e_coco-256x192',
    ),
    'tokenpose-s-v1': (STEM, PLAIN, 12, (16, 16), 3072, 'heatmap', 'tokenpose-s-v1_stemnet_8xb64-300e_coco-256x192'),
    'tokenpose-s-v2': (STEM, PLAIN, 12, (32, 24), 1024, 'heatmap', 'tokenpose-s-v2_stemnet_8xb64-300e_coco-256x192'),
    'tokenpose-b': (W32, PLAIN, 12, (16, 16), 384, 'heatmap', 'tokenpose-b_hrnet-w32_8xb64-300e_coco-256x192'),
    'tokenpose-l': (W48, PLAIN, 6, (16, 16), 576, 'heatmap', 'tokenpose-l-d6_hrnet-w48_8xb64-300e_coco-256x192'),
    'teacher': (W48_FULL, PLAIN, 12, (16, 16), 576, 'heatmap', 'tokenpose-l_hrnet-w48-4stage_8xb64-300e_coco-256x192'),
    'distilpose-s': (STEM, PLAIN, 12, (16, 16), 3072, '5', 'distilpose-s_stemnet_8xb32-300e_coco-256x192'),
    'distilpose-l': (W48, PLAIN, 12, (16, 16), 576, '5', 'distilpose-l_hrnet-w48_8xb32-300e_coco-256x192'),
    'rle': (STEM, PLAIN, 12, (16, 16), 3072, '4', 'sdpose-reg_stemnet_8xb64-300e_coco-256x192'),
}


def whole_model(backbone: Shapes, tokens: Shapes, head: str) -> Shapes:
    """Every key of a released model and its shape."""
    module = 'keypoint_head.tokenpose' if head == 'heatmap' else 'keypoint_head.tokenhead'
    shapes = {f'backbone.{key}': shape for key, shape in backbone.items()}
    shapes.update({f'{module}.{key}': shape for key, shape in tokens.items()})
    if head == '4':
        shapes.update({f'keypoint_head.kpt_loss.{key}': shape for key, shape in flow().items()})
    return shapes


def random_weights(shapes: Shapes, grid: tuple[int, int]) -> dict[str, Tensor]:
    """Small random values, positive variances, and the true position embedding of a (rows, columns) grid."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for key, shape in shapes.items():
        state[key] = 0.02 * torch.randn(shape, generator=generator)
        if key.endswith('num_batches_tracked'):
            state[key] = torch.tensor(7)
        elif key.endswith('running_var'):
            state[key] = 1 + state[key].abs()
        elif key.endswith('pos_embedding'):
            state[key] = sine_table(*grid, shape[-1])[None]
    return state


def full_size(name: str, joints: int = 17) -> dict[str, Tensor]:
    """A released model of ``MODELS``."""
    backbone, transformer, depth, grid, patch_inputs, head, _ = MODELS[name]
    tokens = token_module(transformer, depth, joints, grid[0] * grid[1], patch_inputs, head)
    return random_weights(whole_model(backbone(), tokens, head), grid)


def quick_start(joints: int = 17) -> dict[str, Tensor]:
    """What the released code would save for the model of the quick start: a narrow stem, one layer of width 64."""
    tokens = token_module(CYCLED, 1, joints, 8 * 6, 4 * 64, 'heatmap', dim=64, pixels=192)
    return random_weights(whole_model(stem_net(16, 1), tokens, 'heatmap'), (8, 6))


def checkpoint(state: dict[str, Tensor]) -> dict[str, Any]:
    """MMCV's layout, as saved from a parallel wrapper, with the optimizer's state."""
    moments = {0: dict(step=3, exp_avg=torch.zeros(2), exp_avg_sq=torch.zeros(2))}
    return dict(
        meta=dict(epoch=300, iter=90000, mmpose_version='0.29.0', time='Sat Jan  1 00:00:00 2022'),
        state_dict={f'module.{key}': value for key, value in state.items()},
        optimizer=dict(state=moments, param_groups=[dict(lr=1e-5, params=[0])]),
    )
