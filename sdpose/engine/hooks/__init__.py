"""Hooks of training and evaluation."""

from .box_source_hook import BoxSourceHook
from .channels_last_hook import ChannelsLastHook
from .finite_loss_hook import FiniteLossHook
from .finite_prediction_hook import FinitePredictionHook
from .keep_ratio_hook import KeepRatioHook
from .loss_share_hook import LossShareHook
from .pose_picture_hook import PosePictureHook
from .reproducible_randomness_hook import ReproducibleRandomnessHook
from .resumable_checkpoint_hook import ResumableCheckpointHook
from .stop_hook import StopHook
from .strict_load_hook import StrictLoadHook
from .suspicious_metric_hook import SuspiciousMetricHook
from .zero_loss_hook import ZeroLossHook

__all__ = [
    'BoxSourceHook',
    'ChannelsLastHook',
    'FiniteLossHook',
    'FinitePredictionHook',
    'KeepRatioHook',
    'LossShareHook',
    'PosePictureHook',
    'ReproducibleRandomnessHook',
    'ResumableCheckpointHook',
    'StopHook',
    'StrictLoadHook',
    'SuspiciousMetricHook',
    'ZeroLossHook',
]
