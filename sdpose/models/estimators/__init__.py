from .distill_classifier import DistillClassifier
from .distill_mixin import DistillMixin
from .distill_pose_estimator import DistillPoseEstimator

__all__ = ['DistillClassifier', 'DistillMixin', 'DistillPoseEstimator']
