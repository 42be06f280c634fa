"""Widths from part to part, and the joints of a head."""

from typing import Any

import pytest

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.errors import ConfigError
from sdpose.preflight.channels import check_channels

TOKENS = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
HEATMAPS = 'simple-baseline-tiny_res18_1xb32-10e_synthetic-64x48'
COORDINATES = 'rle-tiny_res18_1xb32-10e_synthetic-64x48'


@pytest.mark.parametrize(
    'config, options, message',
    [
        (TOKENS, {'model.neck.dim': 32}, 'model.head.in_channels is 64, but model.neck.dim is 32'),
        (TOKENS, {'model.head.in_channels': 32}, 'model.head.in_channels is 32, but model.neck.dim is 64'),
        (
            TOKENS,
            {'model.neck.in_channels': 32},
            r'model.neck.in_channels is 32, but model.backbone \(StemNet\) gives 64',
        ),
        (
            TOKENS,
            {'model.backbone.stem_channels': 8, 'model.neck.dim': 32, 'model.head.in_channels': 32},
            'model.neck.in_channels is 64, but model.backbone .* gives 32',
        ),
        (
            HEATMAPS,
            {'model.head.in_channels': 48},
            'model.head.in_channels is 48, but model.backbone .ResNet. gives 96',
        ),
        (HEATMAPS, {'model.backbone.base_channels': 16}, 'model.head.in_channels is 96, but .* gives 64'),
        (
            HEATMAPS,
            {'model.head.out_channels': 14},
            'model.head.out_channels is 14, but the train data have 17 key points',
        ),
        (
            COORDINATES,
            {'model.head.num_joints': 14},
            'model.head.num_joints is 14, but the train data have 17 key points',
        ),
        (COORDINATES, {'model.head.in_channels': 48}, 'model.head.in_channels is 48, but .* gives 96'),
    ],
)
def test_parts_that_do_not_fit(config: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_channels(load_config(config, options), ('train', 'val'))


@pytest.mark.parametrize(
    'config, options',
    [
        (TOKENS, {}),
        (HEATMAPS, {}),
        (COORDINATES, {}),
        (HEATMAPS, {'model.head.decoder.type': 'UDPHeatmap', 'model.head.out_channels': 51, 'model.head.decoder': dict(
            _delete_=True, type='UDPHeatmap', input_size=(48, 64), heatmap_size=(12, 16), heatmap_type='combined')}),
        (TOKENS, {'model.backbone': dict(_delete_=True, type='SomebodysBackbone')}),
    ],
)  # fmt: skip
def test_parts_that_fit_or_are_not_known(config: str, options: dict[str, Any]) -> None:
    check_channels(load_config(config, options), ('train', 'val', 'test'))
