"""Image classifier whose training loss may include distillation terms (SDPose, Table 9).

Shapes: B batch, H and W the image size in pixels, N classes.
"""

from collections.abc import Sequence

from mmpose.registry import MODELS
from torch import Tensor

from sdpose.errors import require_choice
from sdpose.models.outputs import extract_features
from sdpose.models.transformers import MultiCycledTransformer
from sdpose.structures import ClassSample, CycleTokens

from .distill_mixin import DistillMixin


@MODELS.register_module()
class DistillClassifier(DistillMixin):
    """Tokens of an image, a head on its class token, and an optional distiller.

    Args:
        neck: Config of the token transformer.
        head: Config of the classification head.
        backbone: Config of a backbone, None if the neck cuts the image itself into patches.
        distiller: Config of the distiller, None for a plain model.
        data_preprocessor: Config of the preprocessor that stacks the images of a batch.
        train_cfg: Options of training that the head reads.
        init_cfg: Initialization.

    Raises:
        ValueError: If the neck has several query tokens.
    """

    def __init__(
        self,
        neck: dict,
        head: dict,
        backbone: dict | None = None,
        distiller: dict | None = None,
        data_preprocessor: dict | None = None,
        train_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.train_cfg = train_cfg or {}
        self.backbone = MODELS.build(backbone) if backbone else None
        self.neck = MODELS.build(neck)
        queries = self.neck.tokenizer.num_queries if isinstance(self.neck, MultiCycledTransformer) else 1
        if queries != 1:  # the head would fail on a shape in the first step
            raise ValueError(
                f'a classifier has one query token, the class token, but model.neck.num_queries is {queries}'
            )
        self.head = MODELS.build(head)
        self.set_distiller(distiller)

    def extract_feat(self, inputs: Tensor, cycles: int | None = None) -> CycleTokens:
        """The tokens of images (B, 3, H, W) after each cycle; ``cycles`` as for ``MultiCycledTransformer``."""
        return extract_features(self, inputs, cycles=cycles)[1]

    def predict(self, inputs: Tensor, data_samples: Sequence[ClassSample]) -> list[ClassSample]:
        """The samples with their class probabilities."""
        return self.head.predict(self.extract_feat(inputs), data_samples)

    def predict_cycles(self, inputs: Tensor, data_samples: Sequence[ClassSample]) -> list[list[ClassSample]]:
        """For each training cycle, first cycle first, what ``predict`` returns if that one is deployed.

        Args:
            inputs: Images (B, 3, H, W).
            data_samples: One sample per image; they are left as they are.
        """
        feats = self.extract_feat(inputs, self.neck.num_cycles)
        return [
            self.head.predict(feats._replace(deployed=cycle), [sample.new() for sample in data_samples])
            for cycle in range(self.neck.num_cycles)
        ]

    def forward(
        self, inputs: Tensor, data_samples: Sequence[ClassSample] = (), mode: str = 'tensor'
    ) -> Tensor | list[ClassSample] | dict[str, Tensor]:
        """MMEngine's entry: logits (B, N), samples or losses.

        Args:
            inputs: Images (B, 3, H, W).
            data_samples: One sample per image; not needed for ``'tensor'``.
            mode: ``'tensor'``, ``'predict'`` or ``'loss'``.

        Raises:
            ValueError: If the mode is another.
        """
        require_choice('mode', mode, ('tensor', 'predict', 'loss'))
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        return self.head(self.extract_feat(inputs))
