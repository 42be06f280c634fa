from .token_mse_loss import TokenMSELoss

__all__ = ['TokenMSELoss']
