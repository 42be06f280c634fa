"""Position embeddings of the visual tokens (TokenPose, section 3.3).

Shapes: K query tokens, P = rows * columns visual tokens, D width.
"""

import math

import torch
from torch import Tensor

POSITION_MODES = ('sine', 'sine-full', 'learnable')


def sine_table(rows: int, columns: int, dim: int) -> Tensor:
    """The fixed 2-D sine embedding of a patch grid.

    The first half of the channels codes the row, the second half the column. In each half, channel ``j`` holds the
    sine (even ``j``) or cosine (odd ``j``) of ``angle / 10000 ** (2 * (j // 2) / half)``, where the angle runs from
    0 (excluded) to 2 pi over the grid.

    Returns:
        The table in row-major patch order, (rows * columns, dim), float32.

    Raises:
        ValueError: If ``dim`` is not a multiple of 4 (two axes, each with sine and cosine).
    """
    if dim % 4:  # two axes, each with sine and cosine
        raise ValueError(f'the sine position embedding needs a width that is a multiple of 4, got dim={dim}')
    half = dim // 2
    channel = torch.arange(half, dtype=torch.float64)
    period = 10000 ** (2 * (channel // 2) / half)

    def code(count: int) -> Tensor:
        angle = torch.arange(1, count + 1, dtype=torch.float64) * (2 * math.pi / (count + 1e-6))
        phase = angle[:, None] / period  # (count, half)
        return torch.where(channel % 2 == 0, phase.sin(), phase.cos())  # (count, half)

    by_row = code(rows)[:, None].expand(rows, columns, half)  # (rows, 1, half) -> (rows, columns, half)
    by_column = code(columns)[None].expand(rows, columns, half)  # (1, columns, half) -> the same
    return torch.cat([by_row, by_column], dim=-1).reshape(rows * columns, dim).float()
