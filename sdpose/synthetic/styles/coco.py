"""COCO's key point annotations: 17 joints, visible area."""

import json
from collections.abc import Sequence
from pathlib import Path

from sdpose.synthetic.people.annotate import Annotation
from sdpose.synthetic.people.skeleton import COCO_17, COCO_JOINTS, COCO_LIMBS

from .base import Described, Entry, Picture, Style


class CocoStyle(Style):
    """One JSON per split, as ``person_keypoints_*.json`` of COCO."""

    joints = COCO_17
    limbs: tuple[tuple[int, int], ...] = COCO_LIMBS
    names: tuple[str, ...] = COCO_JOINTS

    def describe(self, picture: Picture, people: Sequence[Annotation]) -> Described:
        """The entries of ``images`` and ``annotations``; annotation ids are 0 until all are known."""
        image = dict(id=picture.id, file_name=picture.file_name, width=picture.size[0], height=picture.size[1])
        return image, [self._person(person, picture.id) for person in people]

    def write(self, folder: Path, split: str, info: Entry, described: Sequence[Described]) -> None:
        """Number the annotations and write them."""
        persons = [person for _, group in described for person in group]
        for number, person in enumerate(persons, 1):
            person['id'] = number
        content = dict(
            info=info,
            licenses=[],
            images=[image for image, _ in described],
            annotations=persons,
            categories=[self._category()],
        )
        (folder / self.files[split][0]).write_text(json.dumps(content, separators=(',', ':')), encoding='utf-8')

    def drawable(self, person: Entry) -> list[float]:
        """COCO's key points as they are."""
        return person['keypoints']

    def _person(self, annotation: Annotation, image_id: int) -> Entry:
        joints = annotation.joints[list(self.joints)]
        keypoints = [value for x, y, flag in joints.tolist() for value in (round(x, 2), round(y, 2), int(flag))]
        return dict(
            id=0,
            image_id=image_id,
            category_id=1,
            iscrowd=0,
            area=annotation.area,
            bbox=list(annotation.box),
            num_keypoints=int((joints[:, 2] > 0).sum()),
            keypoints=keypoints,
        )

    def _category(self) -> Entry:
        """The person category; its skeleton counts joints from 1."""
        return dict(
            id=1,
            name='person',
            supercategory='person',
            keypoints=list(self.names),
            skeleton=[[a + 1, b + 1] for a, b in self.limbs],
        )
