"""Self-distillation: each cycle is pulled towards a later one (SDPose, eq. 1, 2 and 4; ELT, arXiv:2604.09168)."""

from collections.abc import Sequence
from typing import Any

from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.errors import require_choice
from sdpose.models.outputs import ModelOutputs, run_model

from .base import BaseDistiller, keypoint_weights
from .patches import require_one_choice
from .teacher import Teacher
from .values import PER_CYCLE, VALUES, values_of


@MODELS.register_module()
class SelfDistiller(BaseDistiller):
    """Compares cycle i with cycle i + 1, or with the last one, and sums every term over i.

    The visual tokens can be compared in two ways. With the position ``'sine-full'`` every cycle of L layers adds the
    embedding c again before all of them but the first, so that after cycle i a visual token is

        v_i = content_i + i (L - 1) c,

    and v_2 - v_1 holds the constant (L - 1) c. ``'visual'`` compares v as it is, like the released code: the mean
    squared error of a new model starts near (L - 1)^2 mean(c^2) = (L - 1)^2 / 2 per pair. ``'visual_content'``
    compares content, the tokens less what was added again (where tokens were pruned, less the surviving tokens'
    embeddings), which starts near 0 at every depth. The two are one where nothing is added again.

    Args:
        terms: See :class:`BaseDistiller`; ``on`` is a value that every cycle has of its own: ``'query'`` (keypoint
            tokens), ``'visual'``, ``'visual_content'``, ``'trace'`` or ``'prediction'``.
        detach_teacher: Cut the gradient into the later cycle. The paper does not say; the released code trains both
            sides, so that is the default.
        teacher: Which later cycle teaches a cycle: the ``'next'`` one (SDPose) or the ``'last'`` one (ELT).

    Attributes:
        own_teacher: A copy of the student, such as its average over training (``OwnTeacherHook``), whose later cycles
            teach in place of the student's; None for the student's own.

    Raises:
        ValueError: As :class:`BaseDistiller`, or if a value is one for all cycles, or the teacher is unknown.
    """

    own_teacher: Teacher | None = None

    def __init__(self, terms: dict[str, dict | None], detach_teacher: bool = False, teacher: str = 'next') -> None:
        super().__init__(terms)
        self.detach_teacher = detach_teacher
        require_choice('teacher', teacher, ('next', 'last'))
        self.teacher = teacher

    def _comparable(self, name: str, on: Any) -> str:
        if on in VALUES and on not in PER_CYCLE:  # it would be compared with itself: always zero
            raise ValueError(
                f'the distillation term {name!r} compares on={on!r}, which is one for all cycles; '
                f'choose one of {", ".join(PER_CYCLE)}'
            )
        return super()._comparable(name, on)

    def check(self, student: nn.Module) -> None:
        """Refuse a student of one cycle or none: nothing can teach it.

        Raises:
            ValueError: If so.
        """
        super().check(student)
        if getattr(getattr(student, 'neck', None), 'num_cycles', 1) < 2:  # no pair, no term, no word
            raise ValueError(
                'self-distillation needs a later cycle to learn from: set model.neck.num_cycles to 2 or '
                'more (of a MultiCycledTransformer), or model.distiller to None'
            )

    def prepare(self, student: nn.Module) -> None:
        """Refuse terms on patches that are not the same in all cycles.

        Raises:
            ConfigError: If so.
        """
        require_one_choice(student, self.on.values())

    def run(self, student: nn.Module, images: Tensor) -> tuple[ModelOutputs, ModelOutputs | None]:
        """The student's pass through all training cycles, and that of its copy, where one teaches."""
        outputs = run_model(student, images, self.wants_trace)
        if self.own_teacher is None:
            return outputs, None
        return outputs, self.own_teacher.outputs(images, self.wants_trace, outputs.cycles)

    def losses(self, student: ModelOutputs, teacher: ModelOutputs | None, data_samples: Sequence) -> dict[str, Tensor]:
        """The value of every term, summed over the pairs of cycles; none where a single cycle was run."""
        weight = keypoint_weights(data_samples)
        total: dict[str, Tensor] = {}
        for cycle in range(student.cycles - 1):
            if cycle in student.fixed:
                continue
            later = cycle + 1 if self.teacher == 'next' else student.cycles - 1
            if teacher is None:
                taught = values_of(student, later, self.detach_teacher)
            else:
                taught = values_of(teacher, later, detach=True)
            terms = self.compare(values_of(student, cycle), taught, weight)
            for name, value in terms.items():
                total[name] = total[name] + value if name in total else value
        return total
