"""Reading a COCO annotation file: there, JSON, and in COCO's structure."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

from sdpose.errors import DataError
from sdpose.io.json_file import read_json

from . import coco_fields

_CURE = 'correct data_root and ann_file of the dataset in the config'


def read_annotations(ann_file: str | Path, annotated: bool = True, cure: str = _CURE) -> dict[str, Any]:
    """Read a COCO annotation file, of key points or not.

    Args:
        ann_file: The file.
        annotated: Whether it must have annotations; ``image_info`` files of test splits have none, and get an empty
            list.
        cure: What else than putting the file there helps if it is missing.

    Raises:
        DataError: If it is missing, not JSON, or lacks images, annotations, ids or what an image must have.
    """
    require_annotation_file(ann_file, cure)
    content = read_json(ann_file, 'a COCO annotation file')
    if isinstance(content, dict) and not annotated:
        content.setdefault('annotations', [])
    lacking = [key for key in ('images', 'annotations') if not isinstance(content, dict) or key not in content]
    if lacking == ['annotations']:
        raise DataError(
            f'{ann_file} has no annotations to train on or to evaluate with; for a test split without '
            'any, tools/test.py --format-only writes results from the boxes of a detector'
        )
    if lacking:
        raise DataError(f'{ann_file} is not a COCO annotation file: it has no {" and no ".join(lacking)}')
    for key in ('images', 'annotations'):
        if not isinstance(content[key], list):
            raise DataError(f'{ann_file} is not a COCO annotation file: {key} must be a list')
    coco_fields.check_entries(ann_file, 'image', content['images'], coco_fields.IMAGE_KEYS)
    coco_fields.check_images(ann_file, content['images'])
    coco_fields.check_entries(ann_file, 'annotation', content['annotations'], ('id',))
    repeated = [key for key, count in Counter(ann['id'] for ann in content['annotations']).items() if count > 1]
    if repeated:
        raise DataError(f'{ann_file}: annotation id {repeated[0]} is used more than once')
    return content


def require_annotation_file(ann_file: str | Path, cure: str = _CURE) -> None:
    """Check that an annotation file of any kind is there.

    Args:
        ann_file: The file; an address is taken as it is.
        cure: What else than putting the file there helps.

    Raises:
        DataError: If it is not.
    """
    if not Path(ann_file).is_file() and '://' not in str(ann_file):
        below = '' if Path(ann_file).is_absolute() else f' (below {os.getcwd()})'
        raise DataError(f'the annotation file {ann_file} is missing{below}: put it there, or {cure}')
