"""The first sample is made before the run: a step that fails is named, and random numbers stay what they were."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.model import BaseDataPreprocessor, ImgDataPreprocessor
from mmengine.structures import InstanceData
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import nn
from torch.utils.data import DataLoader

from sdpose.datasets.transforms import DeferredAffine, PackTestInputs, PackTrainingInputs
from sdpose.errors import ConfigError, DataError
from sdpose.models.data_preprocessors import HeatmapDataPreprocessor
from sdpose.preflight.first_sample import check_first_sample
from sdpose.structures import HeatmapPlan


class _Data:
    def __init__(self, *steps: Any) -> None:
        self.steps = Compose(steps)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        return self.steps({})


def _loader(*steps: Any) -> DataLoader:
    return DataLoader(_Data(*steps))  # type: ignore[arg-type]


def _model(preprocessor: nn.Module) -> nn.Module:
    model = nn.Module()
    model.data_preprocessor = preprocessor
    return model


def _images(sample: dict) -> dict:
    random.random(), np.random.rand(), torch.rand(1)
    return dict(sample, inputs=torch.zeros(3, 4, 4, dtype=torch.uint8))


def _ships_joints(sample: dict) -> dict:
    labels = InstanceData(heatmap_plan=[HeatmapPlan((48, 64), 2.0, True)])
    return dict(sample, data_samples=PoseDataSample(gt_instance_labels=labels))


def _ships_a_part(sample: dict) -> dict:
    return dict(sample, data_samples=PoseDataSample(metainfo=dict(input_matrix=torch.eye(2, 3).numpy())))


class _Part:
    """A data set whose pipeline leaves the crop to the model."""

    def __init__(self, pack: Any) -> None:
        self.pipeline = Compose([DeferredAffine(input_size=(24, 32)), pack])

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        box = dict(bbox_center=np.float32([[30, 20]]), bbox_scale=np.float32([[20, 30]]))
        return self.pipeline(dict(box, img=np.zeros((40, 60, 3), np.uint8), keypoints=np.zeros((1, 3, 2), np.float32)))


@pytest.mark.parametrize('pack', [PackPoseInputs, PackTestInputs, PackTrainingInputs])
def test_a_part_of_a_picture_does_not_pass_for_the_input(pack: type) -> None:
    loader, model = DataLoader(_Part(pack())), _model(HeatmapDataPreprocessor())
    if pack is PackTrainingInputs:
        check_first_sample(loader, model, 'train_dataloader')
        return
    with pytest.raises(ConfigError, match=f'DeferredAffine.*but {pack.__name__} does not pack the input_matrix'):
        check_first_sample(loader, model, 'train_dataloader')


def _fails(sample: dict) -> dict:
    return sample['bbox_center']


def _is_damaged(sample: dict) -> dict:
    raise DataError('a.jpg is damaged')


def test_a_sound_pipeline_leaves_the_random_numbers() -> None:
    def drawn() -> tuple:
        return random.random(), np.random.rand(), torch.rand(1).item()

    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)
    expected = drawn()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)
    check_first_sample(_loader(_images), _model(ImgDataPreprocessor()), 'train_dataloader')
    check_first_sample(_loader(_images, _ships_joints), _model(HeatmapDataPreprocessor()), 'train_dataloader')
    assert drawn() == expected


@pytest.mark.parametrize(
    'steps, preprocessor, error, message',
    [
        (
            (_images, _fails),
            ImgDataPreprocessor(),
            ConfigError,
            r"val_dataloader.dataset.pipeline.1 \(function\) fails on the first sample: KeyError: 'bbox_center'",
        ),
        ((), ImgDataPreprocessor(), ConfigError, 'val_dataloader.dataset.pipeline makes samples without inputs'),
        ((_images,), BaseDataPreprocessor(), ConfigError, 'model.data_preprocessor is None'),
        (
            (_images, _ships_joints),
            MODELS.build(dict(type='PoseDataPreprocessor')),
            ConfigError,
            'leaves the heatmaps to the model .*data_preprocessor PoseDataPreprocessor makes none: set',
        ),
        (
            (_images, _ships_a_part),
            MODELS.build(dict(type='PoseDataPreprocessor')),
            ConfigError,
            "leaves the crops to the model .*DeferredAffine.* or affine_step='WindowedAffine'",
        ),
        ((_is_damaged,), ImgDataPreprocessor(), DataError, '^a.jpg is damaged'),
    ],
)
def test_what_cannot_work_is_named(steps: tuple, preprocessor: nn.Module, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        check_first_sample(_loader(*steps), _model(preprocessor), 'val_dataloader')
