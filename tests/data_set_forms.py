"""Small data sets in the form of each data set class of MMPose that reads 2D top-down data: drawn people, no real ones.

A form is a function that writes the files of one data set and returns what its config needs beside type and folders.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

WIDTH, HEIGHT = 160, 120
Form = Callable[[Path, int], dict[str, Any]]


def _pictures(folder: Path, count: int = 3, names: str = '{:06d}.jpg', size: tuple[int, int] = (WIDTH, HEIGHT)) -> list:
    """Grey pictures and their entries."""
    images = []
    for number in range(1, count + 1):
        file = folder / 'images' / names.format(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((size[1], size[0], 3), 20 * number, np.uint8))
        images.append(dict(id=number, file_name=names.format(number), width=size[0], height=size[1]))
    return images


def _joints(count: int, number: int, width: int = 50, height: int = 80) -> list[float]:
    """x, y, visibility of joints in the box (30 + number, 20, width, height)."""
    rng = np.random.default_rng(number)
    xy = rng.uniform(0.05, 0.95, (count, 2)) * (width, height) + (30 + number, 20)
    return np.hstack([xy.round(1), np.full((count, 1), 2.0)]).ravel().tolist()


def _person(number: int, joints: int, **more: Any) -> dict[str, Any]:
    return dict(
        dict(
            id=number,
            image_id=number,
            category_id=1,
            iscrowd=0,
            num_keypoints=joints,
            bbox=[30 + number, 20, 50, 80],
            area=2100,
            keypoints=_joints(joints, number),
            segmentation=[],
        ),
        **more,
    )


def _write(folder: Path, images: list, annotations: list, **more: Any) -> dict[str, Any]:
    content = dict(images=images, annotations=annotations, categories=[dict(id=1, name='thing')], **more)
    (folder / 'ann.json').write_text(json.dumps(content))
    return dict(ann_file='ann.json', data_prefix=dict(img='images/'))


def coco(folder: Path, joints: int) -> dict[str, Any]:
    """COCO's own."""
    return _write(folder, _pictures(folder), [_person(number, joints) for number in (1, 2, 3)])


def nested(folder: Path, joints: int) -> dict[str, Any]:
    """Rendered hands: a list for each joint."""
    people = [_person(number, joints) for number in (1, 2, 3)]
    for person in people:
        person['keypoints'] = np.reshape(person['keypoints'], (-1, 3)).tolist()
    return _write(folder, _pictures(folder), people)


def boxes_beside(folder: Path, joints: int) -> dict[str, Any]:
    """People beside things that have a box and no joints, of another category."""
    ball = _person(9, joints, image_id=1, category_id=2)
    for key in ('keypoints', 'num_keypoints'):
        del ball[key]
    people = [_person(number, joints) for number in (1, 2, 3)]
    return _write(folder, _pictures(folder), [*people, ball])


def little(folder: Path, joints: int) -> dict[str, Any]:
    """JHMDB's: no area, no num_keypoints, no segmentation."""
    people = [_person(number, joints) for number in (1, 2, 3)]
    for person in people:
        for key in ('area', 'num_keypoints', 'segmentation', 'iscrowd'):
            del person[key]
    return _write(folder, _pictures(folder), people)


def whole_picture(folder: Path, joints: int) -> dict[str, Any]:
    """Insects and zebras: pictures of 160 x 160 that are the box."""
    return _write(folder, _pictures(folder, size=(160, 160)), [_person(number, joints) for number in (1, 2, 3)])


def sizeless(folder: Path, joints: int) -> dict[str, Any]:
    """The same without a size of the pictures, which those classes do not read."""
    images = [dict(id=image['id'], file_name=image['file_name']) for image in _pictures(folder, size=(160, 160))]
    return _write(folder, images, [_person(number, joints) for number in (1, 2, 3)])


def crowd(folder: Path, joints: int) -> dict[str, Any]:
    """CrowdPose's: how crowded each picture is, and no area."""
    people = [_person(number, joints) for number in (1, 2, 3)]
    for person in people:
        del person['area']
    return _write(folder, [dict(image, crowdIndex=0.3) for image in _pictures(folder)], people)


def art21(folder: Path, joints: int) -> dict[str, Any]:
    """HumanArt's 21 joints, beside its 17."""
    return _write(
        folder, _pictures(folder), [_person(number, 17, keypoints_21=_joints(joints, number)) for number in (1, 2, 3)]
    )


def frames(folder: Path, joints: int) -> dict[str, Any]:
    """PoseTrack's videos: frames with their number."""
    images = [
        dict(image, nframes=4, frame_id=image['id'], vid_id='000001', is_labeled=True)
        for image in _pictures(folder, count=3, names='{:06d}.jpg')
    ]
    cv2.imwrite(str(folder / 'images/000000.jpg'), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    return dict(
        _write(folder, images, [_person(number, joints) for number in (1, 2, 3)]),
        frame_sampler_mode='fixed',
        frame_indices=[-1, 0],
    )


def centres(folder: Path, joints: int) -> dict[str, Any]:
    """Faces with centre, scale, and for a test the size of their box, in place of a box."""
    people = [_person(number, joints, center=[55 + number, 60], scale=0.4, box_size=80) for number in (1, 2, 3)]
    for person in people:
        del person['bbox']
    return _write(folder, _pictures(folder), people)


def tiny_scale(folder: Path, joints: int) -> dict[str, Any]:
    """MPII-TRB's: contours, centre and a scale whose box is far smaller than the person."""
    people = [_person(number, joints, center=[55, 60], scale=0.05, num_joints=joints) for number in (1, 2, 3)]
    for person in people:
        del person['bbox'], person['area']
    return _write(folder, _pictures(folder), people)


def mpii(folder: Path, joints: int) -> dict[str, Any]:
    """MPII's list of people."""
    images = _pictures(folder, names='{:09d}.jpg')
    people = []
    for number, image in enumerate(images, start=1):
        keypoints = np.reshape(_joints(joints, number), (-1, 3))
        people.append(
            dict(
                image=image['file_name'],
                center=[55, 60],
                scale=0.5,
                joints=keypoints[:, :2].tolist(),
                joints_vis=[1] * joints,
            )
        )
    (folder / 'ann.json').write_text(json.dumps(people))
    return dict(ann_file='ann.json', data_prefix=dict(img='images/'))


_PARTS = dict(foot=6, face=68, lefthand=21, righthand=21)


def _parts(number: int) -> dict[str, Any]:
    """COCO-WholeBody's fields: joints, box and validity of each part."""
    fields: dict[str, Any] = {}
    for part, count in _PARTS.items():
        fields[f'{part}_kpts'] = _joints(count, number)
        fields[f'{part}_valid'] = True
        fields[f'{part}_box'] = [30 + number, 20, 50, 80]
    fields['righthand_kpts'] = _joints(21, 9 + number, width=41)  # another hand than the left one
    return fields


def wholebody(folder: Path, joints: int) -> dict[str, Any]:
    """COCO-WholeBody's five fields."""
    return _write(folder, _pictures(folder), [_person(number, 17, **_parts(number)) for number in (1, 2, 3)])


def head_sizes(folder: Path, joints: int) -> dict[str, Any]:
    """The hands of Panoptic, with the size of the head."""
    return _write(folder, _pictures(folder), [_person(number, joints, head_size=30.0) for number in (1, 2, 3)])


def small_pictures(folder: Path, joints: int) -> dict[str, Any]:
    """FreiHAND's pictures of 224 x 224."""
    return _write(folder, _pictures(folder, size=(224, 224)), [_person(number, joints) for number in (1, 2, 3)])


def two_hands(folder: Path, joints: int) -> dict[str, Any]:
    """InterHand2.6M's: joints in the world, seen by cameras, in three files."""
    images = [dict(image, capture=0, camera='1', frame_idx=image['id']) for image in _pictures(folder)]
    people = [
        _person(number, joints, joint_valid=[[1]] * joints, hand_type='interacting', hand_type_valid=1)
        for number in (1, 2, 3)
    ]
    camera = dict(
        campos={'1': [0, 0, 0]},
        camrot={'1': [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
        focal={'1': [100, 100]},
        princpt={'1': [0, 0]},
    )
    (folder / 'cameras.json').write_text(json.dumps({'0': camera}))
    world = {
        str(number): dict(
            world_coord=np.insert(np.reshape(_joints(joints, number), (-1, 3))[:, :2], 2, 100, 1).tolist()
        )
        for number in (1, 2, 3)
    }
    (folder / 'joints.json').write_text(json.dumps({'0': world}))
    return dict(
        _write(folder, images, people),
        camera_param_file=str(folder / 'cameras.json'),
        joint_file=str(folder / 'joints.json'),
    )


# Of each class: its forms, and what its config has beside.
FORMS: tuple[tuple[str, Form, dict[str, Any]], ...] = (
    ('AnimalKingdomDataset', coco, {}),
    ('AnimalPoseDataset', coco, {}),
    ('AP10KDataset', coco, {}),
    ('ATRWDataset', coco, {}),
    ('FlyDataset', coco, {}),
    ('Horse10Dataset', coco, {}),
    ('LocustDataset', whole_picture, {}),
    ('LocustDataset', sizeless, {}),
    ('MacaqueDataset', coco, {}),
    ('ZebraDataset', whole_picture, {}),
    ('AicDataset', coco, {}),
    ('CocoDataset', coco, {}),
    ('CocoDataset', boxes_beside, {}),
    ('CrowdPoseDataset', crowd, {}),
    ('ExlposeDataset', crowd, {}),
    ('HumanArt21Dataset', art21, {}),
    ('HumanArtDataset', coco, {}),
    ('JhmdbDataset', little, {}),
    ('MhpDataset', coco, {}),
    ('MpiiDataset', mpii, {}),
    ('MpiiTestDataset', mpii, {}),
    ('MpiiTrbDataset', tiny_scale, {}),
    ('OCHumanDataset', coco, {}),
    ('PoseTrack18Dataset', coco, {}),
    ('PoseTrack18VideoDataset', frames, {}),
    ('AFLWDataset', centres, {}),
    ('CocoWholeBodyFaceDataset', wholebody, {}),
    ('COFWDataset', coco, {}),
    ('Face300VWDataset', centres, {}),
    ('Face300WDataset', centres, {}),
    ('Face300WLPDataset', coco, {}),
    ('LapaDataset', coco, {}),
    ('WFLWDataset', centres, {}),
    ('DeepFashion2Dataset', coco, {}),
    ('DeepFashionDataset', coco, dict(subset='full')),
    ('DeepFashionDataset', coco, dict(subset='upper')),
    ('DeepFashionDataset', coco, dict(subset='lower')),
    ('CocoWholeBodyHandDataset', wholebody, {}),
    ('FreiHandDataset', small_pictures, {}),
    ('InterHand2DDoubleDataset', two_hands, {}),
    ('OneHand10KDataset', coco, {}),
    ('PanopticHand2DDataset', head_sizes, {}),
    ('Rhd2DDataset', coco, {}),
    ('Rhd2DDataset', nested, {}),
    ('CocoWholeBodyDataset', wholebody, {}),
    ('HalpeDataset', coco, {}),
    ('UBody2dDataset', wholebody, {}),
)
