"""Fixtures of the released code: those in tests/data always, the complete set beside the checkout where it exists."""

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from released_layout import token_weights
from released_numbers import DATA, FOLDERS, Fixture
from torch import Tensor, nn

import sdpose  # noqa: F401
from sdpose.structures import CycleTokens, TokenSet


class TokenModel(nn.Module):
    """Neck and head under the names that the whole model gives them."""

    def __init__(self, neck: dict, head: dict) -> None:
        super().__init__()
        self.neck = MODELS.build(neck)
        self.head = MODELS.build(head)


@pytest.fixture(scope='session')
def load_fixture():
    """Loads a fixture by name from a folder."""

    def load(name: str, folder: Path = DATA) -> Fixture:
        return Fixture(folder / f'{name}.npz')

    return load


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.parent.name)
def folder(request):
    return request.param


def codec_of(heatmap_size_hw):
    height, width = heatmap_size_hw
    return dict(type='MSRAHeatmap', input_size=(4 * width, 4 * height), heatmap_size=(width, height), sigma=2)


@pytest.fixture(scope='session')
def token_model():
    """Builds neck and head of a fixture's configuration with its released weights."""

    def build(fixture: Fixture, **neck) -> TokenModel:
        config = fixture.config
        patch_size = tuple(config['patch_size'][::-1])
        model = TokenModel(
            dict(
                type='MultiCycledTransformer',
                in_channels=config['channels'],
                feature_size=tuple(config['feature_size'][::-1]),
                patch_size=patch_size,
                num_queries=config['num_keypoints'],
                dim=config['dim'],
                depth=config['depth'],
                num_heads=config['heads'],
                num_cycles=config.get('cycle_num', 1),
                **neck,
            ),
            dict(type='TokenPoseHead', in_channels=config['dim'], decoder=codec_of(config['heatmap_size'])),
        )
        model.load_state_dict(token_weights(fixture.below('w/'), patch_size), strict=True)
        return model

    return build


@pytest.fixture(scope='session')
def distilpose_student():
    """DistilPose's modules with the released weights, and their tokens: from the feature on if the fixture has it."""

    def build(fixture: Fixture) -> tuple[nn.ModuleDict, CycleTokens]:
        config = fixture.config
        model = nn.ModuleDict(
            dict(
                head=MODELS.build(
                    dict(
                        type='TokenRegHead',
                        in_channels=config['dim'],
                        mode='all',
                        hidden=config['hidden_dim'],
                        decoder=dict(type='RegressionLabel', input_size=(192, 256)),
                    )
                )
            )
        )
        tokens = torch.cat([fixture['kpt_token'], fixture['vis_token']], dim=1)
        feats = CycleTokens((TokenSet(tokens, config['num_keypoints']),), 0)
        if 'feature' in fixture:
            model['neck'] = MODELS.build(
                dict(
                    type='MultiCycledTransformer',
                    in_channels=config['channels'],
                    feature_size=(12, 24),
                    patch_size=(3, 4),
                    num_queries=config['num_keypoints'],
                    dim=config['dim'],
                    depth=config['depth'],
                    num_heads=config['heads'],
                )
            )
        model.load_state_dict(token_weights(fixture.below('w/'), (3, 4)), strict=True)
        return model, model['neck']([fixture['feature']]) if 'feature' in fixture else feats

    return build


@pytest.fixture(scope='session')
def data_samples():
    """MMPose data samples from target heatmaps (B, K, H, W) and keypoint weights (B, K)."""

    def make(target: Tensor, weight: Tensor):
        samples = []
        for heatmaps, weights in zip(target, weight):
            sample = PoseDataSample(metainfo=dict(flip_indices=list(range(len(weights)))))
            sample.gt_fields = PixelData(heatmaps=heatmaps)
            sample.gt_instance_labels = InstanceData(keypoint_weights=weights[None])
            samples.append(sample)
        return samples

    return make


@pytest.fixture(scope='session')
def fill_by_formula():
    """The fill rule of the formula fixtures: every tensor is a function of its name and index alone."""

    def fill(model: nn.Module) -> None:
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            seed = zlib.crc32(name.encode()) % 1000
            index = np.arange(tensor.numel(), dtype=np.float64)
            wave = np.sin(0.7 * seed + index * (1 + 0.001 * seed))
            if tensor.ndim == 4:
                value = wave * np.sqrt(4 / np.prod(tensor.shape[1:]))
            else:
                kind = name.rsplit('.', 1)[1]
                value = {
                    'running_var': 1 + 0.5 * wave,
                    'running_mean': 0.1 * wave,
                    'bias': 0.1 * wave,
                    'weight': 0.6 * (1 + 0.1 * wave),
                }[kind]
            tensor.copy_(torch.from_numpy(value.reshape(tensor.shape)))

    return fill


@pytest.fixture(scope='session')
def hrnet_w32():
    """Config of HRNet-W32 cut after stage 3, with the given width of stage 1."""

    def config(stage1_width: int) -> dict:
        return dict(
            type='TruncatedHRNet',
            extra=dict(
                stage1=dict(
                    num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(4,), num_channels=(stage1_width,)
                ),
                stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(4, 4), num_channels=(32, 64)),
                stage3=dict(
                    num_modules=4, num_branches=3, block='BASIC', num_blocks=(4, 4, 4), num_channels=(32, 64, 128)
                ),
            ),
        )

    return config
