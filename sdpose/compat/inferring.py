"""Inference: a config inside a checkpoint is data; a picture and its boxes are looked at before they are used."""

import sys
from functools import wraps
from typing import Any

from mmengine.config import Config

from sdpose.errors import DataError
from sdpose.io.single_picture import check_boxes, check_source
from sdpose.io.stored_config import parse_config, source_of

from .rebind import rebind

_MARK = '_sdpose_compat'
_FORMATS = ('xyxy', 'xywh')


def run_no_stored_config() -> None:
    """Let a config that came out of a checkpoint be read without running it; any other text is read as ever.

    Seen: MMEngine 0.10.7 writes the text that a checkpoint carries to a file and runs it as Python, when an inferencer
    gets weights without a config, and when a training resumes.
    """
    if hasattr(Config.fromstring, _MARK):
        return
    original = Config.fromstring

    @wraps(original)
    def fromstring(cfg_str: str, file_format: str) -> Any:
        source = source_of(cfg_str) if file_format == '.py' else None
        return original(cfg_str, file_format) if source is None else parse_config(cfg_str, source)

    setattr(fromstring, _MARK, True)
    Config.fromstring = staticmethod(fromstring)


def check_single_pictures() -> None:
    """Let ``inference_topdown`` name what is wrong with the picture or the boxes that it is given.

    Seen: MMPose 1.3.2 asks an array for its shape, and opens a file for its size, before the pipeline, which checks
    both, sees either: a pipe hangs, a folder, a ``Path`` or a picture of Pillow's ends inside. A ``Path`` is taken now.
    """
    original = sys.modules['mmpose.apis.inference'].inference_topdown
    if hasattr(original, '__wrapped__'):
        return

    @wraps(original)
    def inference_topdown(model: Any, img: Any, bboxes: Any = None, bbox_format: str = 'xyxy') -> Any:
        if bbox_format not in _FORMATS:
            raise DataError(f'bbox_format {bbox_format!r}: choose one of {", ".join(_FORMATS)}')
        return original(model, check_source(img), check_boxes(bboxes), bbox_format)

    rebind(original, inference_topdown, 'mmpose')
