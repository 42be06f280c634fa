"""What every distiller shares: named terms, each a registered loss between one value of student and teacher."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.errors import ConfigError


class BaseDistiller(BaseModule):
    """Builds and evaluates distillation terms.

    Args:
        terms: term name to loss config. A name starts with ``loss_``, so that the runner adds it to the total; the
            config is a registered loss with one more field ``on=``, the value that it compares (``'trace'`` for the
            losses that say ``reads_trace``, and for no others). A term set to None is left out, which is how a config
            or the command line switches one off.
        comparable: the names that ``on=`` may hold.

    Raises:
        ValueError: if a name or an ``on=`` is not one of the allowed, or the loss does not compare such values.
    """

    def __init__(self, terms: dict[str, dict | None], comparable: Sequence[str]) -> None:
        super().__init__()
        self.on: dict[str, str] = {}
        self.terms = nn.ModuleDict()
        for name, config in terms.items():
            if config is None:
                continue
            if not name.startswith('loss_'):
                raise ValueError(f'the distillation term {name!r} must start with "loss_", or it would not be trained')
            if not isinstance(config, Mapping):
                raise ValueError(
                    f'the distillation term {name!r} must be the config of a loss, or None to leave it '
                    f'out, not {config!r}'
                )
            config = dict(config)
            self.on[name] = config.pop('on', None)
            if self.on[name] not in comparable:
                raise ValueError(
                    f'the distillation term {name!r} compares on={self.on[name]!r}; '
                    f'choose one of {", ".join(comparable)}'
                )
            loss = MODELS.build(config)
            if getattr(loss, 'reads_trace', False) != (self.on[name] == 'trace'):
                raise ValueError(
                    f'the distillation term {name!r}: {type(loss).__name__} '
                    f'{"compares" if self.on[name] != "trace" else "does not compare"} traces, so it '
                    f'cannot be evaluated on={self.on[name]!r}'
                )
            self.terms[name] = loss

    @property
    def wants_trace(self) -> bool:
        """Whether a term compares what the query tokens did in every layer, which a neck returns on demand."""
        return 'trace' in self.on.values()

    def check(self, student: nn.Module) -> None:
        """Refuse a student that this distiller cannot teach; called when the model is built.

        Raises:
            ValueError: if so.
        """

    def guiding(self, student: nn.Module, images: Tensor) -> AbstractContextManager:
        """A context for the student's pass in a training step, in which a distiller may steer it; nothing by default.

        Args:
            student: the model.
            images: the preprocessed images (B, 3, H, W) of the step.
        """
        return nullcontext()

    def compare(
        self, student: Mapping[str, Any], teacher: Mapping[str, Any], weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The value of every term for one pair.

        Args:
            student: the student's values by name.
            teacher: the teacher's values by name.
            weight: keypoint weights (B, K), for the losses that say they need them (``needs_weight``).

        Raises:
            ConfigError: if a loss refuses its pair, with the loss's reason.
        """
        result = {}
        for name, loss in self.terms.items():
            pair = student[self.on[name]], teacher[self.on[name]]
            try:
                result[name] = loss(*pair, weight) if getattr(loss, 'needs_weight', False) else loss(*pair)
            except ValueError as error:
                raise ConfigError(f'model.distiller.terms.{name}, on={self.on[name]!r}: {error}') from error
        return result
