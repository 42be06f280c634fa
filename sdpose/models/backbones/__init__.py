from .hrnet import TruncatedHRNet
from .pretrained import PretrainedBackbone
from .stemnet import StemNet

__all__ = ['PretrainedBackbone', 'StemNet', 'TruncatedHRNet']
