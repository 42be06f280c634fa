"""What the pose estimator and the classifier share: a training loss that may include distillation terms.

Shapes: B batch, H and W the image size in pixels.
"""

from collections.abc import Sequence

from mmpose.registry import MODELS
from torch import Tensor

from sdpose.models.distillers.model_pass import run


class DistillMixin:
    """Head losses plus the terms of an optional distiller; for a model with ``head`` and ``train_cfg``.

    A distiller is active in training only and owns no parameter of the deployed model; what its terms train beside it
    is named ``distiller.``.
    """

    def set_distiller(self, distiller: dict | None) -> None:
        """Build the distiller of a config, None for a plain model; to be called when the other parts are there.

        Raises:
            ValueError: if the distiller cannot teach this model.
        """
        self.distiller = MODELS.build(distiller) if distiller else None
        if self.distiller is not None:
            self.distiller.check(self)

    def loss(self, inputs: Tensor, data_samples: Sequence) -> dict[str, Tensor]:
        """Losses of the head and of the distiller for images (B, 3, H, W)."""
        if self.distiller is None:
            return self.head.loss(run(self, inputs).feats, data_samples, train_cfg=self.train_cfg)
        with self.distiller.guiding(self, inputs):
            maps, feats = run(self, inputs, with_trace=self.distiller.wants_trace)
        losses = self.head.loss(feats, data_samples, train_cfg=self.train_cfg)
        losses.update(self.distiller.loss(feats, images=inputs, head=self.head, data_samples=data_samples, maps=maps))
        return losses
