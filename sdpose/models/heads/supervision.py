"""Which cycles a head supervises, and what their losses are called (SDPose, eq. 3 and Table 5).

Shapes: B batch, K query tokens, D token width, C supervised cycles.
"""

import torch
from torch import Tensor

from sdpose.structures import CycleTokens

SUPERVISE = ('all', 'last')


def check_supervise(supervise: str) -> str:
    """Return ``supervise``.

    Raises:
        ValueError: if it is not one of ``SUPERVISE``.
    """
    if supervise not in SUPERVISE:
        raise ValueError(f'supervise={supervise!r} is unknown; choose one of {", ".join(SUPERVISE)}')
    return supervise


def supervised_cycles(feats: CycleTokens, supervise: str, name: str = 'loss_kpt') -> dict[int, str]:
    """The 0-based cycles that get a loss, each with the name of that loss: ``name``, numbered if there are several."""
    count = len(feats.cycles)
    first = 0 if supervise == 'all' else count - 1
    return {cycle: name if count == 1 else f'{name}_cycle{cycle + 1}' for cycle in range(first, count)}


def stack_queries(feats: CycleTokens, cycles: dict[int, str]) -> Tensor:
    """Query tokens of these cycles, (C, B, K, D), so that the head runs once."""
    return torch.stack([feats.cycles[cycle].query for cycle in cycles])
