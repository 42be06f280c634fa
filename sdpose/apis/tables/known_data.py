"""Whether the files of a data set are the ones that everybody has: their sizes, counts and hashes."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdpose.preflight.results import PERSON

FACTS = {
    'images': 'images',
    'classes': 'folders of classes',
    'bytes': 'bytes',
    'sha256': 'as SHA-256',
    'listed_images': 'listed images',
    'people': 'annotated people',
    'labelled_people': 'people with labelled key points',
    'person_boxes': 'person boxes',
}
"""What can be known: ``images`` and ``classes`` about a folder, the others about a file."""

_IMAGES = ('.jpg', '.jpeg', '.png')


def compare(root: str, known: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Look at the files of a data set.

    Args:
        root: Folder of the data set.
        known: By path below the folder, which must exist, what it should be like; keys are those of ``FACTS``.

    Returns:
        What was found about each, files with their SHA-256; and one phrase about each difference.
    """
    found: dict[str, dict[str, Any]] = {}
    differences = []
    for name, wanted in known.items():
        path = Path(root) / name
        found[name] = facts = facts_of_folder(path) if path.is_dir() else _of_file(path)
        differences += [
            f'{path} has {in_words(facts.get(key, 0))} {FACTS[key]}, not {in_words(value)}'
            for key, value in wanted.items()
            if facts.get(key) != value
        ]
    return found, differences


def facts_of_folder(path: Path) -> dict[str, Any]:
    """Images in a folder and below it, and the folders in it."""
    images = sum(name.lower().endswith(_IMAGES) for _, _, names in os.walk(path, followlinks=True) for name in names)
    return dict(images=images, classes=sum(entry.is_dir() for entry in os.scandir(path)))


def _of_file(path: Path) -> dict[str, Any]:
    """Size and hash of a file, and what is in it if it is COCO's JSON of annotations or detections."""
    content = path.read_bytes()
    facts: dict[str, Any] = dict(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    try:
        parsed = json.loads(content)
        if isinstance(parsed, list) and parsed and 'center' in parsed[0]:  # of MPII
            return {**facts, 'people': len(parsed)}
        if isinstance(parsed, list):
            return {**facts, 'person_boxes': sum(box['category_id'] == PERSON for box in parsed)}
        people = [person for person in parsed['annotations'] if person['category_id'] == PERSON]
        labelled = sum(any(person['keypoints'][2::3]) for person in people)
        return {**facts, 'listed_images': len(parsed['images']), 'people': len(people), 'labelled_people': labelled}
    except (ValueError, KeyError, TypeError):
        return facts


def in_words(value: Any) -> str:
    """A fact as text: numbers with commas."""
    return f'{value:,}' if isinstance(value, int) else str(value)
