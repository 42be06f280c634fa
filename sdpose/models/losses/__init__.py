from .attention_transfer_loss import AttentionTransferLoss
from .base import DistillationLoss
from .class_kl_loss import ClassKLLoss
from .feature_mse_loss import FeatureMSELoss
from .heatmap_logit_loss import HeatmapLogitLoss
from .joint_attention_loss import JointAttentionLoss
from .joint_relation_loss import JointRelationLoss
from .joint_token_loss import JointTokenLoss
from .laplace_kl_loss import LaplaceKLLoss
from .limb_vector_loss import LimbVectorLoss
from .score_loss import ScoreLoss
from .simcc_kl_loss import SimCCKLLoss
from .simulated_heatmap_loss import SimulatedHeatmapLoss
from .soft_cross_entropy_loss import SoftCrossEntropyLoss
from .token_mse_loss import TokenMSELoss

__all__ = [
    'AttentionTransferLoss',
    'ClassKLLoss',
    'DistillationLoss',
    'FeatureMSELoss',
    'HeatmapLogitLoss',
    'JointAttentionLoss',
    'JointRelationLoss',
    'JointTokenLoss',
    'LaplaceKLLoss',
    'LimbVectorLoss',
    'ScoreLoss',
    'SimCCKLLoss',
    'SimulatedHeatmapLoss',
    'SoftCrossEntropyLoss',
    'TokenMSELoss',
]
