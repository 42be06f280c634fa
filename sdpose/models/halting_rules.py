"""When a person needs no further cycle: the rules of any-time inference.

Shapes: n people, K keypoints, D token width.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from sdpose.structures import TokenSet


class Reading(NamedTuple):
    """What there is to decide by after a cycle, of n people.

    Attributes:
        cycle: Its number, from 1.
        found: What the head predicts of each person.
        now: The tokens after this cycle.
        last: Those before it; before cycle 1 the learned ones.
        before: Those before the cycle before it; in cycle 1 the same as ``last``.
    """

    cycle: int
    found: Sequence[InstanceData]
    now: TokenSet
    last: TokenSet
    before: TokenSet


class HaltingRule(NamedTuple):
    """One rule; a new one is a function and an entry of :data:`RULES`.

    Attributes:
        value: What is compared with a threshold, (n,).
        goes_on_below: Whether a person goes on while its value is below the threshold, otherwise while it is above.
        least_cycles: Fewer cycles of a model leave nothing to decide.
        top: Thresholds lie between 0 and this.
    """

    value: Callable[[Reading], Tensor]
    goes_on_below: bool
    least_cycles: int = 2
    top: float = float('inf')

    def goes_on(self, values: Tensor, threshold: float) -> Tensor:
        """Who goes on, (n,); nobody whose value is NaN."""
        return values < threshold if self.goes_on_below else values > threshold


def mean_score(reading: Reading) -> Tensor:
    """The mean score of each person's joints: the height of a heatmap's peak, or the likelihood's score."""
    return torch.tensor([float(each.keypoint_scores.mean()) for each in reading.found])


def turn_of_tokens(reading: Reading) -> Tensor:
    """The mean over joints of ``|(q_c - q_c-1) - (q_c-1 - q_c-2)| / |q_c|`` (arXiv:2509.23314).

    q_0 are the learned tokens; it decides from the second cycle on.
    """
    now, last, before = (each.query for each in (reading.now, reading.last, reading.before))  # (n, K, D) each
    if reading.cycle == 1:
        return torch.full((len(now),), float('inf'))
    turn = (now - last) - (last - before)
    return (turn.norm(dim=-1) / now.norm(dim=-1).clamp(min=1e-6)).mean(dim=1).float().cpu()


RULES = {
    'peaks': HaltingRule(mean_score, goes_on_below=True, top=1.0),
    'motion': HaltingRule(turn_of_tokens, goes_on_below=False, least_cycles=3),
}
