"""An annotation file of COCO's form, put together person by person."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sdpose.datasets.joint_box import area_of_box, box_of_joints
from sdpose.errors import DataError
from sdpose.io.pictures import loaded_sizes, open_picture, refuse_special

Joint = tuple[float, float, int]
"""x, y in pixels and visibility: 0 not labelled, 1 covered, 2 visible."""


class CocoFile:
    """An annotation file that grows.

    Args:
        joints: Names of the joints of a person, in their order.
        classes: Names of the classes by number; people alone by default.
        limbs: Pairs of joints, by their places from 0.
    """

    def __init__(
        self, joints: Sequence[str], classes: dict[int, str] | None = None, limbs: Sequence[tuple[int, int]] = ()
    ) -> None:
        self.joints = list(joints)
        self.classes = classes or {0: 'person'}
        self.limbs = [[a + 1, b + 1] for a, b in limbs]
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []

    def add_image(self, name: str, size: tuple[int, int]) -> int:
        """Add an image by its name below the folder of images and its (w, h); returns its id."""
        self.images.append(dict(id=len(self.images) + 1, file_name=name, width=size[0], height=size[1]))
        return len(self.images)

    def add_person(self, joints: Sequence[Joint], box: Sequence[float] | None, kind: int = 0) -> bool:
        """Add a person on the image that was added last.

        Args:
            joints: One for each name.
            box: x, y, width, height in pixels; None where there is none, and it is made of the joints.
            kind: The class.

        Returns:
            Whether the person has a box, and is there.
        """
        image = self.images[-1]
        labelled = [(x, y) for x, y, flag in joints if flag]
        if box is None and labelled:
            box = box_of_joints(labelled, (image['width'], image['height']))
        if box is None:
            return False
        self.annotations.append(
            dict(
                id=len(self.annotations) + 1,
                image_id=image['id'],
                category_id=kind + 1,
                bbox=[round(float(each), 2) for each in box],
                area=area_of_box(box),
                iscrowd=0,
                num_keypoints=len(labelled),
                keypoints=[each for joint in joints for each in (_rounded(joint) if joint[2] else (0, 0, 0))],
            )
        )
        return True

    def content(self) -> dict[str, Any]:
        """What the file holds."""
        kinds = [
            dict(id=number + 1, name=name, keypoints=self.joints, skeleton=self.limbs)
            for number, name in self.classes.items()
        ]
        return dict(images=self.images, annotations=self.annotations, categories=kinds)


def _rounded(joint: Joint) -> Joint:
    return round(float(joint[0]), 2), round(float(joint[1]), 2), joint[2]


def picture_size(path: str | Path) -> tuple[int, int]:
    """(w, h) in which a picture will be loaded, by its header.

    Raises:
        DataError: If it is missing or no picture.
    """
    refuse_special(path)
    try:
        with open_picture(path) as image:
            return loaded_sizes(image, turns=True)[0]
    except (OSError, ValueError) as error:
        raise DataError(f'the picture {path} cannot be read: {error}') from error
