"""Hooks of training and evaluation."""

from .box_source_hook import BoxSourceHook
from .channels_last_hook import ChannelsLastHook
from .cycle_curriculum_hook import CycleCurriculumHook
from .finite_loss_hook import FiniteLossHook
from .finite_prediction_hook import FinitePredictionHook
from .keep_ratio_hook import KeepRatioHook
from .last_epochs_hook import LastEpochsHook
from .loss_share_hook import LossShareHook
from .own_teacher_hook import OwnTeacherHook
from .pose_picture_hook import PosePictureHook
from .random_cycles_hook import RandomCyclesHook
from .reproducible_randomness_hook import ReproducibleRandomnessHook
from .resumable_checkpoint_hook import ResumableCheckpointHook
from .stop_hook import StopHook
from .strict_load_hook import StrictLoadHook
from .suspicious_metric_hook import SuspiciousMetricHook
from .teaching_schedule_hook import TeachingScheduleHook
from .zero_loss_hook import ZeroLossHook

__all__ = [
    'BoxSourceHook',
    'ChannelsLastHook',
    'CycleCurriculumHook',
    'FiniteLossHook',
    'FinitePredictionHook',
    'KeepRatioHook',
    'LastEpochsHook',
    'LossShareHook',
    'OwnTeacherHook',
    'PosePictureHook',
    'RandomCyclesHook',
    'ReproducibleRandomnessHook',
    'ResumableCheckpointHook',
    'StopHook',
    'StrictLoadHook',
    'SuspiciousMetricHook',
    'TeachingScheduleHook',
    'ZeroLossHook',
]
