"""What a line of the training log says."""

from .loss_log_processor import LossLogProcessor

__all__ = ['LossLogProcessor']
