from .token_pose_head import TokenPoseHead

__all__ = ['TokenPoseHead']
