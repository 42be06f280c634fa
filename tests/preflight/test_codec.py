"""Crop, target and decoder follow one size and one rule."""

from typing import Any

import pytest

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.errors import ConfigError
from sdpose.preflight.codec import check_codec

PLAIN = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
UDP = 'sdpose-udp-tiny_stemnet_1xb32-30e_synthetic-64x48'
SIMCC = 'sdpose-simcc-tiny_stemnet_1xb32-30e_synthetic-64x48'
SPLITS = ('train', 'val')


@pytest.mark.parametrize('config, options', [(PLAIN, {}), (UDP, {}), (SIMCC, {'use_udp': True})])
def test_what_agrees(config: str, options: dict[str, Any]) -> None:
    check_codec(load_config(config, options), SPLITS)


@pytest.mark.parametrize('config', [PLAIN, UDP, SIMCC])
@pytest.mark.parametrize('key', ['sigma', 'input_size'])
@pytest.mark.parametrize('value', [0, -1, float('nan'), float('inf')])
def test_a_size_or_a_target_without_extent(config: str, key: str, value: float) -> None:
    cfg = load_config(config)
    cfg.model.head.decoder[key] = value if key == 'sigma' else (48, value)
    with pytest.raises(ConfigError, match=f'^{key} is .*{value}.* in model.head.decoder: it must be .* codec.{key}$'):
        check_codec(cfg, SPLITS)


def test_a_target_of_the_data_without_width() -> None:
    cfg = load_config(PLAIN)
    step = next(step for step in cfg.train_dataloader.dataset.pipeline if step.type == 'DeferredTarget')
    step.encoder.sigma = 0
    with pytest.raises(ConfigError, match='^sigma is 0 in DeferredTarget of the train data: it must be a number above'):
        check_codec(cfg, SPLITS)


@pytest.mark.parametrize(
    'config, options, message',
    [
        (PLAIN, {'use_udp': True}, 'use_udp is True in WindowedAffine of the train data, but the codec is BatchMSRA.*'
         'set use_udp = False'),
        (UDP, {'use_udp': False}, 'use_udp is False in WindowedAffine of the train data, but the codec is UDPHeatmap.*'
         'set use_udp = True'),
        (UDP, {'val_dataloader.dataset.pipeline.2.use_udp': False}, 'use_udp is False in WindowedAffine of the val'),
        (UDP, {'model.test_cfg.shift_heatmap': True}, 'model.test_cfg.shift_heatmap moves .* set it to False'),
        (UDP, {'model.head.decoder.heatmap_size': (24, 32)}, r'heatmap_size .w, h. is \(12, 16\) in DeferredTarget'),
    ],
)  # fmt: skip
def test_what_does_not(config: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check_codec(load_config(config, options), SPLITS)
    assert '\n' not in str(caught.value)
