"""The first sample of each data set is made before the run, so that a pipeline that cannot work is told apart."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.model import BaseDataPreprocessor, ImgDataPreprocessor
from torch import nn
from torch.utils.data import DataLoader

from sdpose.config.built_part import frames
from sdpose.config.nodes import iter_datasets
from sdpose.datasets.transforms import DeferredAffine
from sdpose.errors import ConfigError, UserError, one_line
from sdpose.models.data_preprocessors import HeatmapDataPreprocessor
from sdpose.models.data_preprocessors.heatmap_data_preprocessor import ships_joints, waits_for_warp


def check_first_sample(loader: DataLoader, model: nn.Module, key: str) -> None:
    """Make the first sample of a loader's data, and see that the model gets images that it can compute with.

    The random numbers of the run stay what they were.

    Args:
        loader: The loader, with its data set.
        model: The model, which holds the preprocessing.
        key: The loader's key in the config.

    Raises:
        ConfigError: If a step of the pipeline fails, or what the steps make has no images for the model.
    """
    dataset: Any = loader.dataset
    if not len(dataset):
        return
    with _random_numbers_kept():
        try:
            sample = dataset[0]
        except UserError:
            raise
        except Exception as error:  # of any step
            raise ConfigError(f'{_place(error, key)}: {one_line(error)} (SDPOSE_TRACEBACK=1 shows where)') from error
    preprocessor = getattr(getattr(model, 'module', model), 'data_preprocessor', None)
    images = sample.get('inputs') if isinstance(sample, dict) else None
    if isinstance(preprocessor, ImgDataPreprocessor) and images is None:
        raise ConfigError(
            f'{key}.dataset.pipeline makes samples without inputs, the images that the model reads: it must end with '
            'a step that packs them, such as PackPoseInputs'
        )
    samples = [sample['data_samples']] if isinstance(sample, dict) and 'data_samples' in sample else []
    if not isinstance(preprocessor, HeatmapDataPreprocessor):
        _refuse_deferred(key, samples, type(preprocessor).__name__)
    if samples and isinstance(images, torch.Tensor) and not waits_for_warp(samples):
        _refuse_parts(key, dataset, images, samples[0].metainfo)
    if type(preprocessor) is BaseDataPreprocessor and isinstance(images, torch.Tensor) and images.dtype == torch.uint8:
        raise ConfigError(
            'model.data_preprocessor is None, or one that leaves images as they are, whole numbers from 0 to 255, '
            f'which no layer takes: {key} needs one with a mean and a std, such as PoseDataPreprocessor'
        )


def _refuse_deferred(key: str, samples: list[Any], preprocessor: str) -> None:
    """Refuse samples that leave work to a preprocessor which does not do it."""
    for waits, what, step in (
        (ships_joints(samples), 'the heatmaps to the model (DeferredTarget)', "target_step='GenerateTarget'"),
        (waits_for_warp(samples), 'the crops to the model (DeferredAffine)', "affine_step='WindowedAffine'"),
    ):
        if waits:
            raise ConfigError(
                f'the pipeline of {key} leaves {what}, whose data_preprocessor {preprocessor} makes none: '
                f'set model.data_preprocessor.type=HeatmapDataPreprocessor, or {step}'
            )


def _refuse_parts(key: str, dataset: Any, images: torch.Tensor, packed: dict[str, Any]) -> None:
    """Refuse parts of pictures whose way to the input was not packed, which would pass for the input."""
    width, height = packed.get('input_size', images.shape[:-3:-1])
    pipelines = [getattr(each, 'pipeline', None) for each in iter_datasets(dataset)]
    steps = [step for pipeline in pipelines for step in getattr(pipeline, 'transforms', ())]
    if images.shape[-2:] != (height, width) and any(isinstance(step, DeferredAffine) for step in steps):
        raise ConfigError(
            f'the pipeline of {key} leaves the crops to the model (DeferredAffine), but {type(steps[-1]).__name__} '
            'does not pack the input_matrix that they are cut by: end it with PackTrainingInputs, or crop with '
            'WindowedAffine (affine_step, val_affine_step)'
        )


@contextmanager
def _random_numbers_kept() -> Iterator[None]:
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def _place(error: Exception, key: str) -> str:
    """Where a sample failed: in a step of the pipeline, or in the data set itself."""
    for frame in frames(error.__traceback__):
        if frame.f_code is Compose.__call__.__code__ and 't' in frame.f_locals:
            step, steps = frame.f_locals['t'], frame.f_locals['self'].transforms
            number = next((n for n, each in enumerate(steps) if each is step), '?')
            return f'{key}.dataset.pipeline.{number} ({type(step).__name__}) fails on the first sample'
    return f'{key}.dataset gives no first sample'
