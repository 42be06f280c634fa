from .score_loss import ScoreLoss
from .simulated_heatmap_loss import SimulatedHeatmapLoss
from .token_mse_loss import TokenMSELoss

__all__ = ['ScoreLoss', 'SimulatedHeatmapLoss', 'TokenMSELoss']
