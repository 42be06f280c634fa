"""What heads over query tokens share: which cycles they supervise, and one pass for all of them (SDPose, eq. 3).

Shapes: B batch, K query tokens, D token width, C cycles.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from sdpose.errors import ConfigError, require_choice
from sdpose.structures import CycleTokens

SUPERVISE = ('all', 'last')


class CycleHead(ABC):
    """A head over query tokens, mixed into a module: the abstract methods are what a head writes.

    Attributes:
        supervise: ``'all'`` gives every cycle its loss, ``'last'`` the last cycle only (Table 5 and 6 of SDPose).
        gamma: The loss of cycle c, from 1, counts ``gamma ** (c - 1)``.
        early_weight: What the losses of the cycles before the last count beside that; a schedule sets it.
        loss_name: What the loss of a model with one cycle is called; ``_cycle1`` and so on follow if there are several.
    """

    supervise: str
    gamma: float = 1.0
    early_weight: float = 1.0
    loss_name = 'loss_kpt'

    def set_supervision(self, supervise: str | Mapping[str, float]) -> None:
        """Take ``'all'``, ``'last'``, or ``dict(gamma=...)`` for all cycles with falling (or rising) weights.

        Raises:
            ValueError: If it is something else.
        """
        if isinstance(supervise, Mapping):
            gamma = supervise.get('gamma')
            if set(supervise) != {'gamma'} or not isinstance(gamma, Real) or not 0 < gamma < math.inf:
                raise ValueError(f'supervise as a dict is dict(gamma=...) with a number above 0, got {dict(supervise)}')
            self.gamma, supervise = float(gamma), 'all'
        require_choice('supervise', supervise, SUPERVISE)
        self.supervise = supervise

    def weight_of(self, cycle: int, count: int) -> float:
        """What the loss of a 0-based cycle of ``count`` counts."""
        return self.gamma**cycle * (self.early_weight if cycle < count - 1 else 1.0)

    @abstractmethod
    def outputs(self, query: Tensor) -> Tensor:
        """Raw outputs (..., K, X) of query tokens (..., K, D)."""

    def activate(self, raw: Tensor) -> Any:
        """The prediction that the raw outputs of one cycle stand for: themselves, unless a head says otherwise."""
        return raw

    @abstractmethod
    def targets(self, data_samples: Sequence) -> Any:
        """What the losses compare with, of a batch."""

    @abstractmethod
    def loss_of(self, raw: Tensor, targets: Any) -> Tensor:
        """The loss of one cycle's raw outputs, a scalar."""

    @abstractmethod
    def accuracy(self, prediction: Any, targets: Any) -> dict[str, Tensor]:
        """What the log shows beside the losses, of the deployed cycle; called without gradient."""

    def forward(self, feats: CycleTokens) -> Any:
        """The prediction of the deployed cycle."""
        return self.activate(self.outputs(feats.output.query))

    def supervised(self, feats: CycleTokens) -> dict[int, str]:
        """The 0-based cycles that get a loss, each with the name of that loss.

        Raises:
            ConfigError: If what is before the cycles without gradient would get none.
        """
        count = len(feats.cycles)
        if feats.fixed and self.supervise == 'last':
            raise ConfigError(
                "model.head.supervise='last' leaves backbone and first cycle without a gradient, which "
                "model.neck.gradient_cycles cuts off: set supervise to 'all', or gradient_cycles to None"
            )
        first = 0 if self.supervise == 'all' else count - 1
        return {
            cycle: self.loss_name if max(count, feats.most) == 1 else f'{self.loss_name}_cycle{cycle + 1}'
            for cycle in range(first, count)
            if self.weight_of(cycle, count) > 0 and cycle not in feats.fixed
        }

    def cycle_outputs(self, feats: CycleTokens, cycles: Iterable[int] | None = None) -> dict[int, Tensor]:
        """Raw outputs by 0-based cycle, computed in one pass of the head; of the supervised cycles by default."""
        chosen = list(self.supervised(feats) if cycles is None else cycles)
        query = torch.stack([feats.cycles[cycle].query for cycle in chosen])  # (C, B, K, D)
        return dict(zip(chosen, self.outputs(query)))

    def losses(
        self, raw: dict[int, Tensor], feats: CycleTokens, data_samples: Sequence, train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """Losses of the supervised cycles and the accuracy of the deployed one.

        Args:
            raw: Raw outputs of at least the supervised cycles.
            feats: The tokens of all cycles.
            data_samples: One data sample per image.
            train_cfg: ``compute_acc=False`` leaves the accuracy out.
        """
        targets = self.targets(data_samples)
        losses = {}
        for cycle, name in self.supervised(feats).items():
            weight, loss = self.weight_of(cycle, len(feats.cycles)), self.loss_of(raw[cycle], targets)
            losses[name] = loss if weight == 1 else weight * loss
        if (train_cfg or {}).get('compute_acc', True):
            with torch.no_grad():
                deployed = self.activate(raw[feats.deployed]) if feats.deployed in raw else self.forward(feats)
                losses.update(self.accuracy(deployed, targets))
        return losses

    def loss(self, feats: CycleTokens, data_samples: Sequence, train_cfg: dict | None = None) -> dict[str, Tensor]:
        """MMPose's entry: :meth:`losses` of outputs that are computed here."""
        return self.losses(self.cycle_outputs(feats), feats, data_samples, train_cfg)
