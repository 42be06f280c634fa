"""What an annotation file says of a picture's size reaches the step that loads it."""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

_MARK = '_sdpose_compat'


def keep_entry_size() -> None:
    """Let each sample know the size that its picture has by the annotation file, as ``entry_size`` (w, h).

    Seen: MMPose 1.3.2 clips boxes to that size and forgets it, so that nothing notices a picture that is loaded in
    another one: turned by its EXIF data, which the annotation tool ignored, or scaled.
    """
    base = import_module('mmpose.datasets.datasets.base.base_coco_style_dataset').BaseCocoStyleDataset
    if hasattr(base, _MARK):
        return
    base._get_topdown_data_infos = _with_entry_size(base._get_topdown_data_infos)
    setattr(base, _MARK, True)


def _with_entry_size(original: Callable) -> Callable:

    @wraps(original)
    def _get_topdown_data_infos(self: Any, instance_list: list[dict]) -> list[dict]:
        data_list = original(self, instance_list)
        images = getattr(getattr(self, 'coco', None), 'imgs', None) or {}
        for info in data_list:
            size = entry_size(images.get(info.get('img_id')), info.get('img_path'))
            if size is not None:
                info['entry_size'] = size
        return data_list

    return _get_topdown_data_infos


def entry_size(image: Any, path: Any) -> tuple[float, float] | None:
    """The size of an image's entry, if it has one and is that of the file."""
    if not isinstance(image, dict) or not isinstance(path, str):
        return None
    if Path(str(image.get('file_name'))).name != Path(path).name:
        return None
    width, height = image.get('width'), image.get('height')
    return (width, height) if isinstance(width, (int, float)) and isinstance(height, (int, float)) else None
