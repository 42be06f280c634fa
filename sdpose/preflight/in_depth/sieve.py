"""Setting entries of an annotation file aside that are at fault, so that the others can be looked at."""

from collections.abc import Callable
from functools import partial
from typing import Any

from .. import coco_fields
from ..annotation_file import check_ids
from ..coco import check_listed, checks_of_annotations
from .finding import Finding, ask, sift


def sieve(
    file: str, content: dict[str, Any], num_keypoints: int | None, annotated: bool = True
) -> tuple[dict[str, Any], list[Finding]]:
    """Ask the rules of single entries about every entry.

    Args:
        file: A COCO annotation file, for messages.
        content: What it holds, with the two lists of COCO.
        num_keypoints: Joints per person; None for any.
        annotated: Whether its annotations count.

    Returns:
        The content with the entries that no rule minds, each id once, and what was found.
    """
    findings: list[Finding] = []
    images, annotations = content['images'], content['annotations'] if annotated else []

    def check(entries: list[Any], rule: Callable[[list[Any]], Any], what: str) -> list[Any]:
        kept, found = sift(entries, rule, what, file)
        findings.extend(found)
        return kept

    complete = partial(coco_fields.check_entries, file, 'image', keys=coco_fields.IMAGE_KEYS)
    images = check(images, lambda some: complete(entries=some), 'images')
    images = check(images, lambda some: coco_fields.check_images(file, some), 'images')
    numbered = partial(coco_fields.check_entries, file, 'annotation', keys=('id',))
    annotations = check(annotations, lambda some: numbered(entries=some), 'annotations')
    findings += ask(lambda: check_ids(file, dict(images=images)))
    findings += ask(lambda: check_ids(file, dict(annotations=annotations)))
    images, annotations = _first_of_each(images), _first_of_each(annotations)
    for rule in checks_of_annotations(file, num_keypoints):
        annotations = check(annotations, rule, 'annotations')
    listed = {each['id'] for each in content['images'] if isinstance(each, dict) and type(each.get('id')) is int}
    annotations = check(annotations, lambda some: check_listed(file, some, listed), 'annotations')
    sound = {image['id'] for image in images}
    annotations = [ann for ann in annotations if ann['image_id'] in sound]
    return {**content, 'images': images, 'annotations': annotations}, findings


def _first_of_each(entries: list[Any]) -> list[Any]:
    """The entries without those that have the id of one before them."""
    first: dict[int, Any] = {}
    return [entry for entry in entries if first.setdefault(entry['id'], entry) is entry]
