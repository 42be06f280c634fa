"""The size that a picture has by its annotation file, beside the one in which it is loaded."""

from typing import Any


def said_size(info: dict[str, Any]) -> tuple[float, float] | None:
    """(w, h) of a sample's picture by its annotation file, if that is known before it is loaded."""
    if not isinstance(info.get('img_path'), str):
        return None
    if 'entry_size' in info:
        return info['entry_size']
    height, width = info.get('img_shape') or (None, None)
    return None if width is None or height is None else (width, height)


def why_other_size(loaded: tuple[float, float], said: tuple[float, float]) -> str:
    """What another size means for the joints: turned or scaled."""
    if tuple(loaded) == (said[1], said[0]):
        return (
            'it is turned by its EXIF data, or was for the annotation tool, so joints lie elsewhere in it; turn the '
            'pixels '
            'of such pictures and take out their EXIF orientation, or annotate what is loaded'
        )
    return 'joints and boxes must be in pixels of the picture that is loaded; scale them, or name the right pictures'
