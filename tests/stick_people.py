"""A COCO folder of drawn stick people and a small SDPose on it, for the tests of the tools and for the campaigns."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

# Joints of a standing person in a box of width 1 and height 1, in COCO's order.
_JOINTS = np.array(
    [
        [0.50, 0.08],
        [0.55, 0.05],
        [0.45, 0.05],
        [0.60, 0.07],
        [0.40, 0.07],
        [0.70, 0.22],
        [0.30, 0.22],
        [0.82, 0.38],
        [0.18, 0.38],
        [0.90, 0.52],
        [0.10, 0.52],
        [0.62, 0.52],
        [0.38, 0.52],
        [0.64, 0.75],
        [0.36, 0.75],
        [0.66, 0.97],
        [0.34, 0.97],
    ]
)
_LIMBS = [(5, 7), (7, 9), (6, 8), (8, 10), (5, 6), (11, 12), (5, 11), (6, 12), (11, 13), (13, 15), (12, 14), (14, 16)]

CONFIG = """
_base_ = [
    '{root}/configs/_base_/default_runtime.py',
    '{root}/configs/_base_/schedules/adam_300e.py',
    '{root}/configs/_base_/datasets/coco_256x192.py',
    '{root}/configs/_base_/models/tokenpose_stemnet.py',
    '{root}/configs/_base_/models/self_distiller.py',
]
small = dict(type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1, unbiased=True, blur_kernel_size=3)
model = dict(
    backbone=dict(stem_channels=16, num_blocks=1, init_cfg=dict(type='Kaiming', layer='Conv2d')),
    neck=dict(in_channels=64, dim=32, depth=1, num_heads=4, num_cycles=2, num_queries=17, feature_size=(12, 16),
              patch_size=(2, 2)),
    head=dict(in_channels=32, decoder=small),
    distiller=_base_.self_distiller)
load = dict(type='LoadCheckedImage')
box = dict(type='GetBBoxCenterScale')
crop = dict(type='TopdownAffine', input_size=(48, 64))
pack = dict(type='PackPoseInputs')
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=[
    load, box, dict(type='RandomFlip'), dict(type='RandomHalfBody', prob=0.1),
    dict(type='ClippedNormalBBoxTransform'), crop, dict(type='GenerateTarget', encoder=small), pack]))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(pipeline=[load, box, crop, pack]))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=40, val_interval=20)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=5, start_factor=0.1, by_epoch=False),
    dict(type='MultiStepLR', begin=0, end=40, milestones=[30], gamma=0.1, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=20), logger=dict(interval=1))
randomness = dict(seed=3)
"""


def _draw(rng: np.random.Generator, image_id: int, folder: Path) -> tuple[dict, list[dict]]:
    """Draw two people side by side; returns the image's and the people's COCO entries."""
    image = rng.integers(0, 60, (120, 160, 3), np.uint8)
    people = []
    for side in range(2):
        x, y = 8 + 78 * side + rng.integers(0, 8), rng.integers(4, 14)
        width, height = rng.integers(52, 62), rng.integers(88, 100)
        joints = np.stack([x + _JOINTS[:, 0] * width, y + _JOINTS[:, 1] * height], 1).round(1)
        for a, b in _LIMBS:
            color = (80, 220, 80) if a % 2 else (80, 80, 230)
            cv2.line(image, tuple(map(int, joints[a])), tuple(map(int, joints[b])), color, 4)
        cv2.circle(image, tuple(map(int, joints[0])), 7, (200, 200, 230), -1)
        keypoints = np.hstack([joints, np.full((17, 1), 2)]).ravel().tolist()
        people.append(
            dict(
                id=10 * image_id + side,
                image_id=image_id,
                category_id=1,
                iscrowd=0,
                num_keypoints=17,
                bbox=[int(x), int(y), int(width), int(height)],
                area=float(width * height * 0.5),
                keypoints=keypoints,
            )
        )
    name = f'{image_id:012d}.jpg'
    cv2.imwrite(str(folder / name), image)
    return dict(id=image_id, file_name=name, width=160, height=120), people


def write_split(root: Path, split: str, seed: int, num_images: int) -> dict[str, Any]:
    """Draw pictures of two people each, below a folder; returns the annotations that are written beside them."""
    rng = np.random.default_rng(seed)
    folder = root / f'{split}2017'
    folder.mkdir(parents=True)
    drawn = [_draw(rng, 100 * seed + number, folder) for number in range(num_images)]
    content = dict(
        images=[image for image, _ in drawn],
        annotations=[ann for _, people in drawn for ann in people],
        categories=[dict(id=1, name='person')],
    )
    (root / 'annotations').mkdir(exist_ok=True)
    (root / f'annotations/person_keypoints_{split}2017.json').write_text(json.dumps(content))
    return content


def write_coco(data: Path) -> None:
    """COCO's layout below a folder: 12 people to train on, 8 to validate, detections of the latter."""
    write_split(data / 'coco', 'train', 1, 6)
    val = write_split(data / 'coco', 'val', 2, 4)
    boxes = [
        dict(image_id=ann['image_id'], category_id=1, score=0.9, bbox=[v + 1.5 for v in ann['bbox']])
        for ann in val['annotations']
    ]
    boxes += [dict(boxes[0], score=0.3), dict(boxes[1], category_id=18)]
    folder = data / 'coco/person_detection_results'
    folder.mkdir()
    (folder / 'COCO_val2017_detections_AP_H_56_person.json').write_text(json.dumps(boxes))
