"""What annotation tools write, turned into annotation files of COCO's form."""

from .convert import Conversion, convert_annotations

__all__ = ['Conversion', 'convert_annotations']
