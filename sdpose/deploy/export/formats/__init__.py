"""Formats by name."""

from .base import Format, Session
from .litert import LiteRtFormat
from .ncnn import NcnnFormat
from .onnx import OnnxFormat
from .openvino import OpenVinoFormat

_ALL: tuple[Format, ...] = (OnnxFormat(), OpenVinoFormat(), NcnnFormat(), LiteRtFormat())
BY_NAME = {each.name: each for each in _ALL}

__all__ = ['BY_NAME', 'Format', 'Session']
