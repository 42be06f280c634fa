"""The small MLP that every token head ends in (TokenPose, section 3.4)."""

import torch
from torch import Tensor, nn


def token_mlp(width: int, hidden: int, out: int) -> nn.Sequential:
    """LayerNorm-Linear-LayerNorm-Linear, or LayerNorm-Linear where ``hidden`` is less than twice the token width.

    Nothing non-linear stands between the two linears, and no activation follows.

    Args:
        width: Token width.
        hidden: Units between the two linears.
        out: Outputs per token.

    Raises:
        ValueError: If the width is not positive.
    """
    if width < 1:  # a norm over nothing fails inside torch
        raise ValueError(f'in_channels of a token head is the width of a token, at least 1, got {width}')
    if width > hidden / 2:
        return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, out))
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.Linear(hidden, out))


def upcast_half(value: Tensor) -> Tensor:
    """Half precision as float32, other values as they are: neither NumPy nor OpenCV decode in half precision."""
    return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
