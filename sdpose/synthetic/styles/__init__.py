"""Annotation styles: which joints of the drawn people are written, into which files."""

from .base import Style
from .coco import CocoStyle
from .crowdpose import CrowdPoseStyle, crowd_index
from .mpii import MpiiStyle

STYLES: dict[str, Style] = dict(coco=CocoStyle(), crowdpose=CrowdPoseStyle(), mpii=MpiiStyle())

__all__ = ['STYLES', 'Style', 'crowd_index']
