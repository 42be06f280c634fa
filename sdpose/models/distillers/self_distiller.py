"""Self-distillation: each cycle's tokens are pulled towards the next cycle's (SDPose, eq. 1, 2 and 4)."""
from typing import Any, Optional

from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.structures import CycleTokens

from .base import BaseDistiller

COMPARABLE = ('query', 'visual')


@MODELS.register_module()
class SelfDistiller(BaseDistiller):
    """Compares cycle i with cycle i + 1 and sums every term over i.

    Args:
        terms: see :class:`BaseDistiller`; ``on`` is ``'query'`` (keypoint tokens) or ``'visual'``.
        detach_teacher: cut the gradient into the later cycle. The paper does not say; the released code trains both
            sides, so that is the default.
    """

    def __init__(self, terms: dict[str, Optional[dict]], detach_teacher: bool = False) -> None:
        super().__init__(terms, COMPARABLE)
        self.detach_teacher = detach_teacher

    def check(self, student: nn.Module) -> None:
        """Refuse a student of one cycle: nothing can teach it.

        Raises:
            ValueError: if so.
        """
        if getattr(student.neck, 'num_cycles', 1) < 2:
            raise ValueError('self-distillation needs a later cycle to learn from: set model.neck.num_cycles to 2 or '
                             'more, or model.distiller to None')

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
