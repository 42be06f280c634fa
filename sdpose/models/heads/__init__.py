from .base import CycleHead
from .token_cls_head import TokenClsHead
from .token_pose_head import TokenPoseHead
from .token_reg_head import TokenRegHead
from .token_simcc_head import TokenSimCCHead

__all__ = ['CycleHead', 'TokenClsHead', 'TokenPoseHead', 'TokenRegHead', 'TokenSimCCHead']
