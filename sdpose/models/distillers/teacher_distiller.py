"""Distillation from a frozen teacher of its own config and checkpoint (DistilPose, section 3; any heatmap teacher).

Shapes: B batch, K keypoints, H and W the image size.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.errors import ConfigError
from sdpose.models.losses.base import TOKENS, TRACE
from sdpose.models.outputs import ModelOutputs, run_model

from .base import BaseDistiller, keypoint_weights
from .patches import by_patch, require_all_patches
from .teacher import Teacher, patch_scores
from .values import VALUES, values_of


@MODELS.register_module()
class TeacherDistiller(BaseDistiller):
    """Compares the student's deployed output with that of a frozen :class:`Teacher`.

    A term with parameters, such as an adapter, is trained with the student; its keys begin with ``distiller.`` and are
    no part of a deployed model.

    Args:
        teacher: The teacher's config, named as for the tools: a path, one of the package's configs from wherever the
            run was started, or one of MMPose's (``mmpose::body_2d_keypoint/...``).
        checkpoint: Path or web address of the teacher's weights.
        terms: See :class:`BaseDistiller`; ``on`` is ``'query'``, ``'visual'`` or ``'visual_content'`` (tokens, for
            models that have them), ``'trace'`` (query tokens and their attention in every layer of such models),
            ``'backbone'`` (the backbone's last map) or ``'backbone0'`` to ``'backbone3'`` (one of its maps, where
            ``out_indices`` makes it return several), ``'deconv'`` (behind the last deconvolution of a heatmap head)
            or ``'prediction'`` (what the two heads return).
        prune_by_teacher: In training, the student drops the patches that the teacher's joints attend to least in the
            same layer, instead of its own (DPPT; a proposal). It needs a student that prunes and a teacher with the
            same grid and depth.
        teacher_precision: ``'bfloat16'`` or ``'float16'`` has the teacher compute in mixed precision, also beside a
            student in float32.
    """

    def __init__(
        self,
        teacher: str,
        checkpoint: str | None,
        terms: dict[str, dict | None],
        prune_by_teacher: bool = False,
        teacher_precision: str | None = None,
    ) -> None:
        super().__init__(terms)
        self.teacher = Teacher(teacher, checkpoint, teacher_precision)
        self.prune_by_teacher = prune_by_teacher

    def check(self, student: nn.Module) -> None:
        """Refuse a student without a pruner where the teacher is to prune.

        What the teacher must share with it is compared when the teacher is built, and not now: a converter builds
        models without values, on the meta device.

        Raises:
            ValueError: If so.
        """
        super().check(student)
        # else: scores that nothing reads
        if self.prune_by_teacher and getattr(getattr(student, 'neck', None), 'pruner', None) is None:
            raise ValueError('prune_by_teacher needs a student that prunes: set model.neck.pruner, or leave it out')

    def prepare(self, student: nn.Module) -> None:
        """Build the teacher, unless it is there.

        Raises:
            ConfigError: As :meth:`Teacher.build`, or if the student prunes what is compared.
            MismatchError: If the checkpoint does not fill it.
        """
        if not self.teacher.is_built:
            on = self.on.values()
            require_all_patches(student, on)
            compares_tokens = not set(on).isdisjoint(TOKENS + TRACE)
            self.teacher.build(student, compares_tokens, self.prune_by_teacher, by_patch(on) is not None)

    def run(self, student: nn.Module, images: Tensor) -> tuple[ModelOutputs, ModelOutputs]:
        """What student and teacher make of the images; the teacher goes first, because it may prune."""
        self.prepare(student)
        teacher = self.teacher.outputs(images, self.wants_trace or self.prune_by_teacher)
        scores = None
        if self.prune_by_teacher:
            neck: Any = student.neck
            scores = patch_scores(teacher, math.prod(neck.tokenizer.grid_size))
        return run_model(student, images, self.wants_trace, scores), teacher

    def losses(self, student: ModelOutputs, teacher: ModelOutputs, data_samples: Sequence) -> dict[str, Tensor]:
        """The value of every term for the deployed outputs of both."""
        own = values_of(student, student.deployed)
        return self.compare(own, lambda name: self._taught(teacher, name), keypoint_weights(data_samples))

    @torch.no_grad()
    def _taught(self, teacher: ModelOutputs, name: str) -> Any:
        try:
            with self.teacher.autocast(teacher.maps[0].device.type):
                return VALUES[name](teacher, teacher.deployed)
        except ConfigError as error:
            raise self.teacher.refusal(error) from error
