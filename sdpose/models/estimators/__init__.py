from .distill_pose_estimator import DistillPoseEstimator

__all__ = ['DistillPoseEstimator']
