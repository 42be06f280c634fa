"""A page of pictures with the skeletons of a COCO result file."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from sdpose.errors import DataError
from sdpose.io.json_file import read_json
from sdpose.io.pictures import read_picture, write_png

from .contact_sheet import contact_sheet
from .skeleton_drawing import draw_people, sides_of

_HEIGHT = 480  # pixels of a drawn picture, so that skeletons on small ones are fine enough


def _read(path: Path, what: str) -> Any:
    try:
        return read_json(path, 'of that kind')
    except (OSError, DataError) as error:
        raise DataError(f'{what} {path} cannot be read: {error}') from error


def draw_predictions(
    annotations: Path, images: Path, results: Path, out: Path, count: int = 12, least: float = 0.2
) -> Path:
    """Draws predicted skeletons over evenly spaced pictures of a set and writes them as one PNG.

    Args:
        annotations: COCO annotation file; names the pictures and the skeleton.
        images: Folder of the pictures.
        results: COCO keypoint results, as ``tools/test.py --out`` writes them.
        out: PNG to write.
        count: Number of pictures.
        least: Joints and people with a smaller score are left out.

    Returns:
        ``out``.

    Raises:
        DataError: If a file cannot be read or written, or no result belongs to the pictures.
    """
    content, found = _read(annotations, 'annotation file'), _read(results, 'result file')
    people: dict[int, list[list[float]]] = defaultdict(list)
    for person in found:
        if person['score'] >= least:
            people[person['image_id']].append(person['keypoints'])
    category = content['categories'][0]
    limbs = [(a - 1, b - 1) for a, b in category['skeleton']]
    shown = [image for image in content['images'] if people.get(image['id'])]
    if not shown:
        raise DataError(f'{results} has no person with a score of {least} or more on a picture of {annotations}')
    joints = len(people[shown[0]['id']][0]) // 3
    sides = sides_of(category.get('keypoints', [''] * joints))
    step = max(1, len(shown) // count)
    pictures = []
    for image in shown[::step][:count]:
        picture = read_picture(images / image['file_name'])
        pictures.append(draw_people(picture, people[image['id']], limbs, sides, least, _HEIGHT))
    write_png(out, contact_sheet(pictures))
    return out
