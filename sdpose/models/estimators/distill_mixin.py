"""What the pose estimator and the classifier share: a training loss that may include distillation terms.

Shapes: B batch, H and W the image size in pixels.
"""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModel
from mmpose.registry import MODELS
from torch import Tensor

from sdpose.errors import ConfigError
from sdpose.models.distillers import BaseDistiller
from sdpose.models.outputs import ModelOutputs


class DistillMixin(BaseModel):
    """Head losses plus the terms of an optional distiller, for a model with head, ``train_cfg`` and ``extract_feat``.

    A distiller is active in training only and owns no parameter of the deployed model; what its terms train beside it
    is named ``distiller.``.
    """

    head: Any
    train_cfg: dict
    distiller: BaseDistiller | None

    def set_distiller(self, distiller: dict | None) -> None:
        """Build the distiller of a config, None for a plain model; to be called when the other parts are there.

        Raises:
            ValueError: If the distiller cannot teach this model.
        """
        self.distiller = MODELS.build(distiller) if distiller else None
        if self.distiller is not None:
            self.distiller.check(self)

    def init_weights(self) -> None:
        """Initialize the weights, and have the distiller get ready: training starts here."""
        super().init_weights()
        if self.distiller is not None:
            self.distiller.prepare(self)

    def loss(self, inputs: Tensor, data_samples: Sequence) -> dict[str, Tensor]:
        """Losses of the head and of the distiller for images (B, 3, H, W).

        Raises:
            ConfigError: If a term has the name of a loss of the head, which it would replace.
        """
        if self.distiller is None:
            return ModelOutputs(self.head, (), self.extract_feat(inputs)).losses(data_samples, self.train_cfg)
        outputs, teacher = self.distiller.run(self, inputs)
        losses = outputs.losses(data_samples, self.train_cfg, shared=self.distiller.reads_head)
        terms = self.distiller.losses(outputs, teacher, data_samples)
        if taken := losses.keys() & terms.keys():
            raise ConfigError(
                f'model.distiller.terms.{min(taken)}: the head has a loss of this name; choose another one'
            )
        return {**losses, **terms}
