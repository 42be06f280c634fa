from .base import CycleHead
from .pose_head import PoseHead
from .sigma_rle_head import SigmaRLEHead
from .token_cls_head import TokenClsHead
from .token_pose_head import TokenPoseHead
from .token_reg_head import TokenRegHead
from .token_simcc_head import TokenSimCCHead
from .visibility import TokenVisibility

__all__ = [
    'CycleHead',
    'PoseHead',
    'SigmaRLEHead',
    'TokenClsHead',
    'TokenPoseHead',
    'TokenRegHead',
    'TokenSimCCHead',
    'TokenVisibility',
]
