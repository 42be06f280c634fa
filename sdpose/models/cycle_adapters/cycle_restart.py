"""A pass over all patches that teaches the pruned one: the dense teacher of GTPT (haonanwang0522/GTPT), by cycles."""

from collections.abc import Sequence

import torch
from mmpose.registry import MODELS
from torch import nn

from sdpose.errors import require_choice
from sdpose.models.pruners import BasePruner
from sdpose.structures import TokenSet

from .base import CycleAdapter


@MODELS.register_module()
class CycleRestart(CycleAdapter):
    """Begins each cycle from the second on with all patches as the first one began; it has no parameters.

    Where ``pruner.cycles`` is ``(1,)``, the deployed cycle is pruned and the next one is not. As a teacher that is the
    other way round from SDPose with PPT, whose later cycle sees what the first one has left over.

    Args:
        layers: As for :class:`CycleAdapter`.
        num_cycles: As for :class:`CycleAdapter`.
        queries: Which query tokens: those of the ``'start'``, so that a cycle is the same model without pruning, or
            those that the ``'last'`` cycle has ended with, which know more than a new one.

    Raises:
        ValueError: If ``queries`` is neither.
    """

    def __init__(self, layers: Sequence[nn.Module], num_cycles: int, queries: str = 'start') -> None:
        super().__init__(layers, num_cycles)
        require_choice('queries', queries, ('start', 'last'))
        self.queries = queries
        self.forgets = queries == 'start'

    def require_use(self, pruner: BasePruner | None) -> None:
        """Refuse a model in which a cycle begun anew would be the first one again.

        Raises:
            ValueError: If nothing is pruned in the first cycle, or in every cycle alike.
        """
        pruned = [pruner is not None and pruner.prunes_in(cycle) for cycle in (1, 2)]
        if pruned != [True, False]:
            raise ValueError(
                'CycleRestart lets a cycle without pruning teach a pruned one: give model.neck.pruner '
                f'cycles=(1,), it prunes in cycle 1: {pruned[0]}, in cycle 2: {pruned[1]}'
            )

    def enter(self, tokens: TokenSet, start: TokenSet, cycle: int) -> TokenSet:
        """The start, with its query tokens or the last cycle's."""
        if self.queries == 'start':
            return start
        return start._replace(sequence=torch.cat([tokens.query, start.visual], dim=1))
