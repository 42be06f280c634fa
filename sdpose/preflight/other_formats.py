"""Annotations in the form of another tool, recognized by what only that form has."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_BEGINNING = 4096
_YOLO = re.compile(r'\s*\d+(\s+-?\d*\.?\d+([eE][-+]?\d+)?){4,}\s*')


def name_other_format(content: Any) -> str | None:
    """What else a JSON file is, and what makes it fit, where it is recognized.

    Args:
        content: What it holds.

    Returns:
        The end of a sentence: ``an export of Label Studio: export it as COCO ...``; None for an unknown form.
    """
    return next((words for fits, words in _JSON_FORMS if fits(content)), None)


def name_other_file(path: str | Path) -> str | None:
    """What a file that is no JSON is, as :func:`name_other_format` says it."""
    if zipfile.is_zipfile(path):
        return 'a zip archive: unpack it, and name the JSON file that lies in it'
    with open(path, 'rb') as file:
        beginning = file.read(_BEGINNING)
    if beginning[:2] == b'\x1f\x8b':
        return 'compressed by gzip: unpack it'
    text = beginning.decode('utf-8', errors='replace')
    lines = [line for line in text.splitlines()[: 1 if len(text) < _BEGINNING else -1] if line.strip()]
    return next((words for fits, words in _TEXT_FORMS if fits(text, lines)), None)


def _first(content: Any) -> dict[str, Any]:
    """The first entry of a list, empty if it is no object."""
    return content[0] if isinstance(content, list) and content and isinstance(content[0], dict) else {}


def _object(content: Any) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}


def _first_value(content: Any) -> dict[str, Any]:
    """The first value of an object."""
    return _object(next(iter(_object(content).values()), None))


# What an export is recognized by, and what converts it.
_JSON_FORMS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (
        lambda content: 'data' in _first(content) and bool({'annotations', 'completions'} & _first(content).keys()),
        "an export of Label Studio, one task per entry: tools/dataset_tools/convert.py writes it in COCO's form, one "
        'annotation per person, bbox and keypoints (x, y, visibility per joint) in pixels',
    ),
    (
        lambda content: {'kp-1', 'img'} <= _first(content).keys() or 'kp-1' in _first(content),
        "a short export of Label Studio (JSON_MIN): tools/dataset_tools/convert.py writes it in COCO's form",
    ),
    (
        lambda content: {'objects', 'size'} <= _object(content).keys(),
        "an annotation of Supervisely, one file per picture: gather all pictures in one file of COCO's form, and write "
        'the nodes of each graph as keypoints (x, y, visibility per joint) in the order of the metainfo',
    ),
    (
        lambda content: {'shapes', 'imagePath'} <= _object(content).keys(),
        "an annotation of LabelMe, one file per picture: gather all pictures in one file of COCO's form, with one "
        'annotation per person whose keypoints are x, y, visibility per joint',
    ),
    (
        lambda content: '_via_img_metadata' in _object(content) or 'regions' in _first_value(content),
        "a project of the VGG Image Annotator: write its regions as annotations of COCO's form, with keypoints as x, "
        'y, visibility per joint',
    ),
    (
        lambda content: 'people' in _object(content) and 'images' not in _object(content),
        'an output of OpenPose, one file per picture: these are predictions, not annotations; gathered in one file '
        "of COCO's form they can be read, with visibility in place of the scores",
    ),
    (
        lambda content: {'joints', 'joints_vis', 'center'} <= _first(content).keys(),
        'an annotation file of MPII: choose a data set with type=MpiiDataset (configs with mpii in their name)',
    ),
    (
        lambda content: {'image_id', 'keypoints', 'score'} <= _first(content).keys(),
        'a list of results, as an evaluation writes it, not of annotations: name the annotation file of the pictures',
    ),
    (
        lambda content: {'image_id', 'bbox', 'score'} <= _first(content).keys(),
        'a list of detections: it belongs into bbox_file of the dataset, and ann_file names the annotation file',
    ),
    (
        lambda content: {'image_id', 'keypoints'} <= _first(content).keys(),
        "a list of annotations alone: put it into an object with images and categories, {'images': [...], "
        "'annotations': [...], 'categories': [...]}",
    ),
    (
        lambda content: {'annolist'} <= _object(content).keys(),
        "an annotation of PoseTrack's older form: use its COCO-style files",
    ),
)
_TEXT_FORMS: tuple[tuple[Callable[[str, list[str]], bool], str], ...] = (
    (
        lambda text, lines: bool(lines) and all(map(_YOLO.fullmatch, lines)),
        'a label file of YOLO, one file per picture: tools/dataset_tools/convert.py gathers all in one JSON file of '
        "COCO's form, where boxes begin at their upper left corner and all is in pixels",
    ),
    (lambda text, lines: '<annotations>' in text, 'an export of CVAT (XML): export it as COCO Keypoints 1.0 there'),
    (
        lambda text, lines: '<annotation>' in text,
        "an annotation of Pascal VOC (XML), one file per picture: write one JSON file of COCO's form",
    ),
    (
        lambda text, lines: 'scorer' in text[:40] and 'bodyparts' in text,
        "a table of DeepLabCut: write one annotation per animal in COCO's form, keypoints as x, y, visibility per "
        'joint',
    ),
    (
        lambda text, lines: 'kpt_shape' in text or ('names:' in text and 'train:' in text),
        'a data set description of YOLO (YAML), without annotations: tools/dataset_tools/convert.py writes its label '
        "files as one JSON file of COCO's form",
    ),
    (
        lambda text, lines: len(lines) > 0 and lines[0].strip().startswith('{') and lines[0].strip().endswith('}'),
        'one JSON object per line, not one JSON file: make one object of images, annotations and categories of them',
    ),
    (
        lambda text, lines: len(lines) > 0 and lines[0].count(',') >= 3,
        "a table of comma-separated values: write one JSON file of COCO's form, keypoints as x, y, visibility per "
        'joint',
    ),
)
