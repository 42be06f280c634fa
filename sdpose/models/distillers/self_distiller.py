"""Self-distillation: each cycle's tokens are pulled towards the next cycle's (SDPose, eq. 1, 2 and 4)."""

from typing import Any

from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.structures import CycleTokens

from .base import BaseDistiller

COMPARABLE = ('query', 'visual', 'visual_content')


@MODELS.register_module()
class SelfDistiller(BaseDistiller):
    """Compares cycle i with cycle i + 1 and sums every term over i.

    The visual tokens can be compared in two ways. With the position ``'sine-full'`` every cycle of L layers adds the
    code c again before all of them but the first, so that after cycle i a visual token is

        v_i = content_i + i (L - 1) c,

    and v_2 - v_1 holds the constant (L - 1) c. ``'visual'`` compares v as it is, like the released code: the mean
    squared error of a new model starts near (L - 1)^2 mean(c^2) = (L - 1)^2 / 2 per pair. ``'visual_content'``
    compares content, the tokens less what was added again (where tokens were pruned, less the surviving tokens'
    codes), which starts near 0 at every depth. The two are one where nothing is added again.

    Args:
        terms: see :class:`BaseDistiller`; ``on`` is ``'query'`` (keypoint tokens), ``'visual'`` or
            ``'visual_content'``.
        detach_teacher: cut the gradient into the later cycle. The paper does not say; the released code trains both
            sides, so that is the default.
    """

    def __init__(self, terms: dict[str, dict | None], detach_teacher: bool = False) -> None:
        super().__init__(terms, COMPARABLE)
        self.detach_teacher = detach_teacher

    def check(self, student: nn.Module) -> None:
        """Refuse a student of one cycle or none: nothing can teach it.

        Raises:
            ValueError: if so.
        """
        if getattr(getattr(student, 'neck', None), 'num_cycles', 1) < 2:
            raise ValueError(
                'self-distillation needs a later cycle to learn from: set model.neck.num_cycles to 2 or '
                'more (of a MultiCycledTransformer), or model.distiller to None'
            )

    def loss(self, feats: CycleTokens, **_: Any) -> dict[str, Tensor]:
        """The terms for the tokens of all training cycles; what else the estimator passes is not needed."""
        total: dict[str, Tensor] = {}
        for student, teacher in zip(feats.cycles, feats.cycles[1:]):
            if self.detach_teacher:
                teacher = teacher._replace(sequence=teacher.sequence.detach())
            pair = ({name: getattr(tokens, name) for name in COMPARABLE} for tokens in (student, teacher))
            for name, value in self.compare(*pair).items():
                total[name] = total[name] + value if name in total else value
        return total
