"""What every distiller shares: named terms, each a registered loss between one value of student and teacher."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.errors import ConfigError
from sdpose.models.losses import DistillationLoss
from sdpose.models.losses.base import TRACE
from sdpose.models.outputs import ModelOutputs

from .values import VALUES


class BaseDistiller(BaseModule):
    """Builds and evaluates distillation terms.

    Args:
        terms: Term name to loss config. A name starts with ``loss_``, so that the runner adds it to the total; the
            config is a registered loss with one more field ``on=``, the value of ``values.VALUES`` that it compares. A
            term set to None is left out, which is how a config or the command line switches one off.

    Raises:
        ValueError: If a name or an ``on=`` is not one of the allowed, or the loss does not compare such values.
    """

    # What a schedule multiplies every term by.
    factor: float = 1.0

    def __init__(self, terms: dict[str, dict | None]) -> None:
        super().__init__()
        self.on: dict[str, str] = {}
        self.terms = nn.ModuleDict()
        for name, config in terms.items():
            if config is None:
                continue
            if not name.startswith('loss_'):
                raise ValueError(f'the distillation term {name!r} must start with "loss_", or it would not be trained')
            if not isinstance(config, Mapping):  # a number from the command line would fail as a dict
                raise ValueError(
                    f'the distillation term {name!r} must be the config of a loss, or None to leave it '
                    f'out, not {config!r}'
                )
            for key in ('type', 'on'):
                if key not in config:
                    raise ValueError(
                        f'the distillation term {name!r} has no {key!r}: it needs a loss and what to compare'
                    )
            config = dict(config)
            self.on[name] = self._comparable(name, config.pop('on'))
            self.terms[name] = self._reading(name, MODELS.build(config))

    def _comparable(self, name: str, on: Any) -> str:
        """The value that a term compares, if there is one of this name."""
        if on not in VALUES:
            raise ValueError(f'the distillation term {name!r} compares on={on!r}; choose one of {", ".join(VALUES)}')
        return on

    def _reading(self, name: str, loss: nn.Module) -> nn.Module:
        """The loss of a term, if it compares such values; a loss of another package is taken for one of tensors."""
        reads = loss.reads if isinstance(loss, DistillationLoss) else [value for value in VALUES if value not in TRACE]
        if self.on[name] not in reads:
            raise ValueError(
                f'the distillation term {name!r}: {type(loss).__name__} compares {", ".join(reads)}, so it cannot be '
                f'evaluated on={self.on[name]!r}'
            )
        return loss

    @property
    def wants_trace(self) -> bool:
        """Whether a term compares what happened in every layer, which a neck returns on demand."""
        return 'trace' in self.on.values()

    @property
    def reads_head(self) -> bool:
        """Whether a term compares what the head computes."""
        return not {'prediction', 'deconv'}.isdisjoint(self.on.values())

    def check(self, student: nn.Module) -> None:
        """Refuse a student that this distiller cannot teach; called when the model is built.

        Raises:
            ValueError: If so.
        """
        for name, loss in self.terms.items():
            if isinstance(loss, DistillationLoss) and self.on[name] == 'prediction':
                loss.check_head(getattr(student, 'head', None))

    def prepare(self, student: nn.Module) -> None:
        """Get ready to teach; called when training starts, so that it starts with every file in place."""

    @abstractmethod
    def run(self, student: nn.Module, images: Tensor) -> tuple[ModelOutputs, ModelOutputs | None]:
        """What the student, and the teacher where there is one, make of images in a training step.

        Args:
            student: The model.
            images: The preprocessed images, (B, 3, H, W).
        """

    @abstractmethod
    def losses(self, student: ModelOutputs, teacher: Any, data_samples: Sequence) -> dict[str, Tensor]:
        """The value of every term.

        Args:
            student: What :meth:`run` returned for the student.
            teacher: What it returned for the teacher.
            data_samples: One data sample per image, with keypoint weights if it is a pose.
        """

    def compare(
        self, student: Callable[[str], Any], teacher: Callable[[str], Any], weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The value of every term for one pair.

        Args:
            student: The student's value of a name.
            teacher: The teacher's.
            weight: Keypoint weights (B, K), for the losses that need them.

        Raises:
            ConfigError: If a loss refuses its pair, with the loss's reason.
        """
        result = {}
        for name, loss in self.terms.items():
            pair = student(self.on[name]), teacher(self.on[name])
            weighted = isinstance(loss, DistillationLoss) and loss.needs_weight
            try:
                result[name] = loss(*pair, weight) if weighted else loss(*pair)
            except ValueError as error:
                raise ConfigError(f'model.distiller.terms.{name}, on={self.on[name]!r}: {error}') from error
            if self.factor != 1:
                result[name] = self.factor * result[name]
        return result


def keypoint_weights(data_samples: Sequence) -> Tensor | None:
    """The keypoint weights (B, K) of a batch, None for samples that are no poses."""
    labels = [sample.gt_instance_labels for sample in data_samples if hasattr(sample, 'gt_instance_labels')]
    return torch.cat([label.keypoint_weights for label in labels]) if labels else None
