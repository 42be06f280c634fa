"""Feature maps of the student, adapted by a 1x1 convolution, against the teacher's (IKD's feature term, a proposal).

IKD's text is not public beyond its abstract ("the teacher's high-level features assist the student"); this is the
reading of FitNets (Romero et al. 2015, eq. 3).

Shapes: B batch, C channels, H and W the size of the maps.
"""

from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .base import DistillationLoss
from .checks import require_same_shape, require_same_size


@MODELS.register_module()
class FeatureMSELoss(DistillationLoss):
    """Mean squared error of feature maps; the adapter is trained with the student and thrown away after training.

    Args:
        student_channels: Channels of the student's map.
        teacher_channels: Channels of the teacher's. Without both, maps of one shape are compared as they are.
        loss_weight: Factor of the mean over batch, channels and positions.

    Raises:
        ValueError: If only one channel count is given, one is not positive, or the weight is negative.
    """

    def __init__(
        self, student_channels: int | None = None, teacher_channels: int | None = None, loss_weight: float = 1.0
    ) -> None:
        super().__init__(loss_weight)
        channels = (student_channels, teacher_channels)
        # else: one alone would be ignored
        if channels != (None, None) and any(count is None or count < 1 for count in channels):
            raise ValueError(
                'student_channels and teacher_channels must both be positive, or both be left out for '
                f'maps of one shape, got {student_channels} and {teacher_channels}'
            )
        self.adapter: nn.Module = nn.Identity()
        if student_channels is not None and teacher_channels is not None:
            self.adapter = nn.Conv2d(student_channels, teacher_channels, kernel_size=1)

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of maps (B, C, H, W), a scalar.

        Raises:
            ValueError: If sizes differ, or channels are not those the loss was built for.
        """
        require_same_size(student, teacher, 'feature maps')
        if isinstance(self.adapter, nn.Conv2d):
            expected = self.adapter.in_channels, self.adapter.out_channels
            if (student.shape[1], teacher.shape[1]) != expected:  # the convolution would name neither key
                raise ValueError(
                    f'the maps of student and teacher have {student.shape[1]} and {teacher.shape[1]} '
                    f'channels, but student_channels={expected[0]} and teacher_channels={expected[1]}'
                )
        adapted = self.adapter(student)
        require_same_shape(adapted, teacher, 'feature maps (without an adapter)')
        return F.mse_loss(adapted, teacher)
