"""A model's own past as its teacher: an average of its weights, or a copy that is refreshed now and then."""

import copy
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import ExponentialMovingAverage
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor

from sdpose.engine.bare_model import bare_model
from sdpose.engine.epochs import require_epochs
from sdpose.engine.taught import require_terms
from sdpose.errors import ConfigError
from sdpose.io.checkpoint import require_match
from sdpose.models.distillers import SelfDistiller, Teacher
from sdpose.models.distillers.patches import BY_PATCH

_ENTRY = 'own_teacher'
# Terms that compare token by token: two models that prune keep other patches.
_BY_PATCH = {*BY_PATCH, 'trace'}


@HOOKS.register_module()
class OwnTeacherHook(Hook):
    """Let a copy of the model teach in a ``SelfDistiller``: cycle i learns from the copy's later cycle.

    The copy costs one more forward pass per step. It stands in the checkpoint as an entry of its own, so that a resumed
    training goes on with it, and is no part of the model: keys, published and best checkpoints are what they were.

    Args:
        momentum: Share of the new weights after each step, in an average of all (0.001 is a memory of about 1,000
            steps); buffers are taken over. None for ``refresh_epochs``.
        refresh_epochs: Keep the copy as it is for so many epochs, then take the weights over. A teacher that stands
            still for a while cannot run away together with its student (arXiv:2606.03532).

    Raises:
        ValueError: If a value is out of range, or not exactly one is given.
    """

    sets = "a distiller's own teacher"

    def __init__(self, momentum: float | None = None, refresh_epochs: int | None = None) -> None:
        if (momentum is None) == (refresh_epochs is None):
            raise ValueError(
                f'give one of momentum and refresh_epochs, got momentum={momentum} and refresh_epochs={refresh_epochs}'
            )
        if momentum is not None and not 0 < momentum < 1:
            raise ValueError(f'momentum is the share of the new weights, between 0 and 1, got {momentum}')
        if refresh_epochs is not None and refresh_epochs < 1:
            raise ValueError(f'refresh_epochs must be at least 1, got {refresh_epochs}')
        self.momentum = momentum
        self.refresh_epochs = refresh_epochs
        self._stored: Any = None

    @property
    def needed_epochs(self) -> float:
        """How long a training must be for the copy to be refreshed and read; an average needs no length."""
        return 0 if self.refresh_epochs is None else self.refresh_epochs + 1

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take what a resumed checkpoint remembers of the copy."""
        self._stored = checkpoint.get(_ENTRY) if runner._resume else None

    def before_train(self, runner: Runner) -> None:
        """Make the copy, of the weights at the start or as the resumed checkpoint has it.

        Raises:
            ConfigError: If the model has no ``SelfDistiller`` with terms, one compares patches of which two models keep
                different ones, or the copy is refreshed by epochs in a training that counts iterations.
            MismatchError: If the checkpoint's copy is that of another model.
        """
        if self.refresh_epochs is not None:
            require_epochs(runner, self)
        student = bare_model(runner)
        distiller = getattr(student, 'distiller', None)
        if not isinstance(distiller, SelfDistiller):
            raise ConfigError('OwnTeacherHook needs model.distiller to be a SelfDistiller, whose later cycles teach')
        require_terms(distiller, self)
        if student.neck.pruner is not None and (odd := _BY_PATCH.intersection(distiller.on.values())):
            raise ConfigError(
                f'OwnTeacherHook: a term compares on={min(odd)!r}, but the model prunes, and its copy keeps other '
                'patches; set that term to None, or model.neck.pruner'
            )
        plain = copy.deepcopy(student, {id(distiller): None})
        # 0.5 is never read where the copy is refreshed instead.
        self._copy = ExponentialMovingAverage(plain, momentum=self.momentum or 0.5)
        if isinstance(self._stored, Mapping):
            weights = {key: value for key, value in self._stored.items() if isinstance(value, Tensor)}
            require_match(self._copy, weights, f'the {_ENTRY} of the checkpoint', 'Resume from another checkpoint.')
            self._copy.load_state_dict(weights)
        distiller.own_teacher = Teacher('of its own weights', None)
        distiller.own_teacher.use(self._copy.module, student)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Take this step's weights into the average, before a checkpoint is written."""
        if self.momentum is not None and runner.optim_wrapper.should_update():
            self._copy.update_parameters(bare_model(runner))

    def after_train_epoch(self, runner: Runner) -> None:
        """Refresh the copy; at the end of an epoch, which a resumed run passes once, unlike a beginning."""
        if self.refresh_epochs is not None and (runner.epoch + 1) % self.refresh_epochs == 0:
            weights = bare_model(runner).state_dict()
            self._copy.module.load_state_dict({key: weights[key] for key in self._copy.module.state_dict()})

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Write the copy into a checkpoint that a training may resume from."""
        if 'optimizer' in checkpoint:
            checkpoint[_ENTRY] = self._copy.state_dict()
