"""Distillation from a frozen teacher of its own config and checkpoint (DistilPose, section 3; any heatmap teacher).

Shapes: B batch, K keypoints, H and W the image size.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.config.find import find_config
from sdpose.errors import ConfigError
from sdpose.io.checkpoint import read_weights, require_match

from .base import BaseDistiller
from .model_pass import BACKBONE, HEAD, TOKENS, ModelPass, kept_statistics, run, values_of
from .teacher_fit import facts_of, require_fit, require_same_tokens


@MODELS.register_module()
class TeacherDistiller(BaseDistiller):
    """Compares the student's deployed output with that of a frozen teacher.

    The teacher is no part of the student: it is in no optimizer, no checkpoint and no parameter count. It is built
    when training starts, not for testing or export, loaded strictly, and stays in eval mode. A term with parameters,
    such as an adapter, is trained with the student; its keys begin with ``distiller.`` and are no part of a deployed
    model.

    Args:
        teacher: the teacher's config, named as for the tools: a path, one of the package's configs from wherever the
            run was started, or one of MMPose's (``mmpose::body_2d_keypoint/...``).
        checkpoint: path or web address of the teacher's weights.
        terms: see :class:`BaseDistiller`; ``on`` is ``'query'`` or ``'visual'`` (tokens, for models that have them),
            ``'trace'`` (query tokens and their attention in every layer of such models),
            ``'backbone'`` (the backbone's last map) or ``'backbone0'`` to ``'backbone3'`` (one of its maps, where
            ``out_indices`` makes it return several), ``'deconv'`` (behind the last deconvolution of a heatmap head)
            or ``'prediction'`` (what the two heads return).
        prune_by_teacher: in training, the student drops the patches that the teacher's joints attend to least in the
            same layer, instead of its own (DPPT; a proposal). It needs a student that prunes and a teacher with the
            same grid and depth.
    """

    def __init__(
        self, teacher: str, checkpoint: str | None, terms: dict[str, dict | None], prune_by_teacher: bool = False
    ) -> None:
        super().__init__(terms, (*TOKENS, *BACKBONE, *HEAD))
        self.config = teacher
        self.checkpoint = checkpoint
        self.prune_by_teacher = prune_by_teacher
        # In tuples, because a module among the attributes would join the state dict and the optimizer.
        self._teacher = (None,)
        self._student = (None,)
        self._done: ModelPass | None = None  # the teacher's pass of this step, if it had to go first

    def check(self, student: nn.Module) -> None:
        """Keep the student; what the teacher must share with it is compared when the teacher is built.

        Not now: a converter builds models without values, on the meta device.

        Raises:
            ValueError: if the teacher is to prune a student that has no pruner.
        """
        if self.prune_by_teacher and getattr(getattr(student, 'neck', None), 'pruner', None) is None:
            raise ValueError('prune_by_teacher needs a student that prunes: set model.neck.pruner, or leave it out')
        self._student = (student,)

    def teacher(self) -> nn.Module:
        """The frozen teacher, built on first use.

        Raises:
            ConfigError: if its config or checkpoint is missing, it has no tokens where a term compares tokens, or it
                differs from the student in joints, in the normalization of images, or, where it prunes, in its tokens.
            MismatchError: if the checkpoint does not fill it.
        """
        if self._teacher[0] is None:
            self._teacher = (self._build(),)
        return self._teacher[0]

    def init_weights(self) -> None:
        """Build the teacher: training starts here, and starts with every file in place."""
        super().init_weights()
        self.teacher()

    def _build(self) -> nn.Module:
        try:
            config = find_config(self.config)
        except (FileNotFoundError, ValueError) as error:
            raise ConfigError(f'the teacher config cannot be found: set model.distiller.teacher. {error}') from error
        cure = f'Train {self.config} and set model.distiller.checkpoint'
        if not self.checkpoint:
            raise ConfigError(f'a teacher needs its weights. {cure}')
        teacher = MODELS.build(Config.fromfile(config).model)
        weights = read_weights(self.checkpoint, 'the teacher checkpoint', cure, teacher)
        if not set(self.on.values()).isdisjoint(TOKENS) and not hasattr(getattr(teacher, 'neck', None), 'tokenizer'):
            raise ConfigError(
                f'{self.config} has no tokens: set the terms of model.distiller that compare tokens to '
                'None, or choose a teacher with a MultiCycledTransformer'
            )
        if self._student[0] is not None:
            require_fit(facts_of(self._student[0]), facts_of(teacher), self.config)
            if self.prune_by_teacher:
                require_same_tokens(self._student[0], teacher, self.config)
        require_match(
            teacher, weights, f'the teacher checkpoint {self.checkpoint}', f'It must be a checkpoint of {self.config}.'
        )
        teacher.load_state_dict(weights)
        print_log(f'teacher: {self.config} with {self.checkpoint}, frozen', 'current')
        return teacher.requires_grad_(False).eval()

    @contextmanager
    def guiding(self, student: nn.Module, images: Tensor) -> Iterator[None]:
        """Let the teacher choose the student's patches, where that is asked for."""
        if not self.prune_by_teacher:
            yield
            return
        with torch.no_grad():
            self._done = run(self.teacher().to(images.device), images, with_trace=True)
        pruner = student.neck.pruner
        pruner.guide = [pruner.score(layer.rows, layer.query.shape[1]) for layer in self._done.feats.output.trace]
        try:
            yield
        finally:
            pruner.guide = None

    @torch.no_grad()
    def _teach(self, images: Tensor) -> dict[str, Any]:
        teacher = self.teacher().to(images.device)
        done, self._done = self._done, None
        try:
            done = done or run(teacher, images, self.wants_trace)
            return values_of(done, teacher.head, set(self.on.values()))
        except ConfigError as error:
            raise ConfigError(f'the teacher {self.config}, shown the images of the student: {error}') from error

    def loss(
        self, feats: Any, images: Tensor, head: nn.Module, data_samples: Sequence, maps: Sequence[Tensor] = ()
    ) -> dict[str, Tensor]:
        """The terms for a batch.

        Args:
            feats: what the student's head reads.
            images: the preprocessed images (B, 3, H, W), which the teacher sees as well.
            head: the student's head, whose own loss has already run.
            data_samples: one data sample per image, with keypoint weights if it is a pose.
            maps: the feature maps of the student's backbone.
        """
        with kept_statistics(head):
            student = values_of(ModelPass(maps, feats), head, set(self.on.values()))
        labels = [sample.gt_instance_labels for sample in data_samples if hasattr(sample, 'gt_instance_labels')]
        weight = torch.cat([label.keypoint_weights for label in labels]) if labels else None
        return self.compare(student, self._teach(images), weight)
