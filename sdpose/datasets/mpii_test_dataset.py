"""MPII's test split, whose joints are not public."""

import json
import os

import numpy as np
from mmpose.datasets import MpiiDataset
from mmpose.registry import DATASETS
from mmpose.structures.bbox import bbox_cs2xyxy

_UNIT = 200.0
_LOWERED = 15.0


@DATASETS.register_module()
class MpiiTestDataset(MpiiDataset):
    """People with image, centre and scale and nothing else, cropped exactly as ``MpiiDataset`` crops labelled ones.

    Joints that a file has all the same are not read, so nothing can be evaluated by mistake.
    """

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        """Read the people of ``ann_file``; MMPose's method of this name reads joints."""
        with open(self.ann_file, encoding='utf-8-sig') as file:
            people = json.load(file)
        instances = [self._instance(number, person) for number, person in enumerate(people)]
        images = {instance['img_id']: instance['img_path'] for instance in instances}
        return instances, [dict(img_id=number, img_path=path) for number, path in images.items()]

    def _instance(self, number: int, person: dict) -> dict:
        """One person; the centre is lowered by 15/200 of the size and counted from 0, as for labelled people."""
        scale = np.full((1, 2), person['scale'], np.float32) * _UNIT
        center = np.array([person['center']], np.float32)
        if center[0, 0] != -1:
            center[0, 1] += _LOWERED / _UNIT * scale[0, 1]
        center -= 1
        return dict(
            id=number,
            img_id=int(person['image'].split('.')[0]),
            img_path=os.path.join(self.data_prefix['img'], person['image']),
            bbox_center=center,
            bbox_scale=scale,
            bbox=bbox_cs2xyxy(center, scale),
            bbox_score=np.ones(1, np.float32),
            category_id=[1],
        )
