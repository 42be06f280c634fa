from .hrnet import TruncatedHRNet
from .stemnet import StemNet

__all__ = ['StemNet', 'TruncatedHRNet']
