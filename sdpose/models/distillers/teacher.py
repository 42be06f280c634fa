"""A frozen model of its own config and checkpoint that teaches another one.

Shapes: B batch, P visual tokens, H and W the image size.
"""

from contextlib import nullcontext
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.config.find import find_config
from sdpose.errors import ConfigError, require_choice
from sdpose.io.checkpoint import read_weights, require_match
from sdpose.models.outputs import ModelOutputs, run_model
from sdpose.models.pruners import joint_attention
from sdpose.models.transformers import MultiCycledTransformer

from .input_spec import InputSpec, input_spec, require_same_joints, require_same_patches
from .patches import require_same_grid


class Teacher:
    """The teacher of a student.

    It is no module, and so no part of the student's state dict, optimizer or checkpoint: it is built when training
    starts, loaded strictly, and stays in eval mode. Images that were normalized for the student are normalized anew
    where the teacher expects other ones. A copy of the student shares it.

    Args:
        config: A path, the name of one of the package's configs, or one of MMPose's (``mmpose::...``).
        checkpoint: Path or web address of its weights.
        precision: ``'bfloat16'`` or ``'float16'`` for a pass in mixed precision, whatever the student's is; None for
            the student's.
    """

    def __init__(self, config: str, checkpoint: str | None, precision: str | None = None) -> None:
        if precision is not None:
            require_choice('teacher_precision', precision, ('bfloat16', 'float16'))
        self.precision = precision
        self.config = config
        self.checkpoint = checkpoint
        self._model: Any = None
        self._theirs, self._own = InputSpec(), InputSpec()

    def __deepcopy__(self, memo: dict) -> 'Teacher':
        return self

    @property
    def is_built(self) -> bool:
        """Whether the model is there."""
        return self._model is not None

    @property
    def model(self) -> nn.Module:
        """The model, once it is built."""
        return self._model

    def build(self, student: nn.Module, needs_tokens: bool, same_patches: bool, by_patch: bool = False) -> None:
        """Build the model, load and freeze it.

        Args:
            student: The model to teach.
            needs_tokens: Whether tokens are compared.
            same_patches: Whether its patches and layers must be those of the student.
            by_patch: Whether its patches are compared with the student's one by one.

        Raises:
            ConfigError: If config or checkpoint is missing, it has no tokens where they are compared, or it differs
                from the student in joints or, where it must not, in patches.
            MismatchError: If the checkpoint does not fill it.
        """
        try:
            config = find_config(self.config)
        except (FileNotFoundError, ValueError) as error:
            raise ConfigError(f'the teacher config cannot be found: set model.distiller.teacher. {error}') from error
        cure = f'Train {self.config} and set model.distiller.checkpoint'
        if not self.checkpoint:
            raise ConfigError(f'a teacher needs its weights. {cure}')
        model = MODELS.build(Config.fromfile(config).model)
        weights = read_weights(self.checkpoint, 'the teacher checkpoint', cure, model)
        if needs_tokens and not isinstance(getattr(model, 'neck', None), MultiCycledTransformer):
            raise ConfigError(
                f'{self.config} has no tokens: set the terms of model.distiller that compare tokens to '
                'None, or choose a teacher with a MultiCycledTransformer'
            )
        require_same_joints(student, model, self.config)
        if same_patches:
            require_same_patches(student, model, self.config)
        if by_patch:
            require_same_grid(student, model, self.config)
        require_match(
            model, weights, f'the teacher checkpoint {self.checkpoint}', f'It must be a checkpoint of {self.config}.'
        )
        model.load_state_dict(weights)
        self.use(model, student)
        print_log(f'teacher: {self.config} with {self.checkpoint}, frozen{self._normalization()}', 'current')

    def use(self, model: nn.Module, student: nn.Module) -> None:
        """Freeze a model that is there already, and take it as the teacher."""
        self._model = model.requires_grad_(False).eval()
        self._theirs, self._own = input_spec(student), input_spec(model)

    def _normalization(self) -> str:
        if self._theirs == self._own:
            return ''
        return f'; it sees the images with {self._own}, not with {self._theirs} as the student'

    @torch.no_grad()
    def outputs(self, images: Tensor, trace: bool, cycles: int | None = None) -> ModelOutputs:
        """What the teacher makes of images (B, 3, H, W) that were normalized for the student.

        Args:
            images: The images.
            trace: Whether what happens in every layer is read.
            cycles: How many cycles it runs; by default those that it deploys.

        Raises:
            ConfigError: If it cannot read them.
        """
        model = self._model.to(images.device)
        try:
            with self.autocast(images.device.type):
                return run_model(model, self._theirs.convert(images, self._own), trace, cycles=cycles)
        except ConfigError as error:
            raise self.refusal(error) from error

    def autocast(self, device: str) -> Any:
        """The context of whatever the teacher computes on a kind of device."""
        return torch.autocast(device, getattr(torch, self.precision)) if self.precision else nullcontext()

    def refusal(self, error: ConfigError) -> ConfigError:
        """An error that says whose it is."""
        return ConfigError(f'the teacher {self.config}, shown the images of the student: {error}')


def patch_scores(outputs: ModelOutputs, patches: int) -> list[Tensor]:
    """How much the teacher's joints attend to each patch of the grid, (B, P), in every layer of a traced pass.

    Args:
        outputs: What the teacher made of the images.
        patches: P; one that the teacher has pruned before a layer is worth 0 in it.
    """
    trace = outputs.tokens(outputs.deployed).trace
    assert trace is not None  # the pass was traced
    scores = []
    for layer in trace:
        score = joint_attention(layer.attention, layer.query.shape[1])  # (B, P), or (B, n) of those that are left
        if layer.kept is not None:  # their order is the teacher's
            score = score.new_zeros(len(score), patches).scatter(1, layer.kept, score)
        scores.append(score)
    return scores
