"""Models of every family, with weights that let an output depend on the picture, and pictures for them."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.logging import MMLogger
from torch import Tensor, nn

from sdpose.config.building import build_model
from sdpose.config.load import load_config
from sdpose.config.nodes import input_size

SIZES = '_stemnet_1xb32-30e_synthetic-64x48'
TINY = {
    'sdpose': f'sdpose-tiny{SIZES}',
    'ppt': f'ppt-tiny{SIZES}',
    'evit': f'evit-tiny{SIZES}',
    'reg': f'sdpose-reg-tiny{SIZES}',
    'distilpose': f'distilpose-tiny{SIZES}',
    'simcc': f'sdpose-simcc-tiny{SIZES}',
    'dppt': 'dppt-tiny_stemnet_1xb32-10e_synthetic-mpii-64x64',
    'ikd': 'ikd-tiny_res18_1xb32-10e_synthetic-64x48',
    'simple': 'simple-baseline-tiny_res18_1xb32-10e_synthetic-64x48',
    'rle': 'rle-tiny_res18_1xb32-10e_synthetic-64x48',
    'deit': 'sdpose-deit-mini_1xb64-30e_shapes-40x40',
}
FULL = {
    't': 'sdpose-t_stemnet_8xb64-300e_coco-256x192',
    's-v1': 'sdpose-s-v1_stemnet_8xb64-300e_coco-256x192',
    's-v2': 'sdpose-s-v2_stemnet_8xb24-300e_coco-256x192',
    'b': 'sdpose-b_hrnet-w32_8xb32-300e_coco-256x192',
    's-v1-ppt': 'sdpose-s-v1-ppt_stemnet_8xb64-300e_coco-256x192',
    'ppt-b': 'ppt-b_hrnet-w32_8xb64-300e_coco-256x192',
    'reg': 'sdpose-reg_stemnet_8xb64-300e_coco-256x192',
    'tokenpose': 'tokenpose-s-v1_stemnet_8xb64-300e_coco-256x192',
    'distilpose': 'distilpose-s_stemnet_8xb32-300e_coco-256x192',
    'dppt': 'dppt-s_stemnet_8xb64-300e_mpii-256x256',
    'ikd': 'ikd_res18-narrow_8xb64-210e_coco-256x192',
    'simple': 'simple-baseline_res50_8xb64-210e_coco-256x192',
    'rle': 'rle_res50_8xb64-210e_coco-256x192',
    'deit': 'sdpose-deit-tiny_8xb128-300e_imagenet-224x224',
}


def family(config: str, **options: Any) -> tuple[Any, tuple[int, int]]:
    """A config's model with random weights, in eval mode, and its image size (h, w)."""
    MMLogger.get_current_instance().setLevel('ERROR')
    cfg = load_config(config, options)
    model = build_model(cfg.model).eval()
    randomize(model)
    width, height = input_size(cfg)
    return model, (height, width)


def randomize(model: nn.Module) -> None:
    """Weights under which every layer passes on what it gets, and norms with statistics of their own."""
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 4:
            nn.init.kaiming_normal_(parameter)
        elif parameter.ndim == 2:
            nn.init.xavier_normal_(parameter)
        elif parameter.ndim == 3:
            nn.init.normal_(parameter, std=0.5)
        else:
            parameter.data.copy_(torch.rand_like(parameter) * 0.2 + (0.9 if name.endswith('weight') else -0.1))
    for name, buffer in model.named_buffers():
        if name.endswith('running_mean'):
            nn.init.normal_(buffer, std=0.1)
        elif name.endswith('running_var'):
            nn.init.uniform_(buffer, 0.5, 1.5)


def pictures(size: tuple[int, int], count: int = 2) -> Tensor:
    """Random images (B, 3, h, w)."""
    return torch.randn(count, 3, *size, generator=torch.Generator().manual_seed(5))


def outputs(model: Any, image: Tensor) -> list[Tensor]:
    """Every tensor that a model answers with."""
    with torch.no_grad():
        answer = model(image, None, mode='tensor')
    parts: Sequence[Any] = answer if isinstance(answer, tuple) else (answer,)
    return [part for part in parts if part is not None]
