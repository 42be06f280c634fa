"""JSON files that begin with a byte order mark are read."""

import codecs
import json
from importlib import import_module
from types import ModuleType
from typing import Any

# Whoever reads annotations or detections: through open() and json.load, or MMEngine's load.
_READERS = (
    'xtcocotools.coco',
    'mmengine.fileio.handlers.json_handler',
    'mmpose.datasets.datasets.body.mpii_dataset',
    'mmpose.datasets.datasets.body.mpii_trb_dataset',
    'mmpose.datasets.datasets.hand.interhand2d_double_dataset',
    'mmpose.datasets.datasets.hand3d.interhand_3d_dataset',
)
_MARK = codecs.BOM_UTF8.decode('utf-8')


def skip_byte_order_marks() -> None:
    """Let annotations and detections be saved by a Windows editor.

    Seen: ``json.load``, which xtcocotools 1.14, MMPose 1.3.2 and MMEngine 0.10.7 call with a file opened as text, ends
    with ``Unexpected UTF-8 BOM``, which names no file. Text is taken as UTF-8, whatever the machine's locale says.
    """
    for name in _READERS:
        module = import_module(name)
        if not isinstance(module.json, _JsonWithoutMark):
            vars(module)['json'] = _JsonWithoutMark()


class _JsonWithoutMark(ModuleType):
    """The ``json`` module as a reader sees it, whose ``load`` skips a mark; the rest is Python's own."""

    def __init__(self) -> None:
        super().__init__('json', json.__doc__)

    def __getattr__(self, name: str) -> Any:
        return getattr(json, name)

    @staticmethod
    def load(file: Any, **options: Any) -> Any:
        buffer = getattr(file, 'buffer', None)
        content = file.read() if buffer is None else buffer.read()
        if isinstance(content, bytes):
            content = content.decode('utf-8-sig')
        return json.loads(content.removeprefix(_MARK), **options)
