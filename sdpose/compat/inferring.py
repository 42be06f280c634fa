"""A config inside a checkpoint is data."""

from functools import wraps
from typing import Any

from mmengine.config import Config

from sdpose.io.stored_config import parse_config, source_of

_MARK = '_sdpose_compat'


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
