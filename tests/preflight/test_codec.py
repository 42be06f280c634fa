"""Crop, target and decoder follow one size and one rule."""

from typing import Any

import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import KEYPOINT_CODECS

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.errors import ConfigError
from sdpose.preflight.codec import check_codec

PLAIN = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
UDP = 'sdpose-udp-tiny_stemnet_1xb32-30e_synthetic-64x48'
SIMCC = 'sdpose-simcc-tiny_stemnet_1xb32-30e_synthetic-64x48'
REG = 'sdpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48'
SPLITS = ('train', 'val')


@pytest.mark.parametrize('config, options', [(PLAIN, {}), (UDP, {}), (SIMCC, {}), (REG, {})])
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
        (SIMCC, {'use_udp': True}, 'use_udp is True in .* the codec is SimCCLabel.*set use_udp = False'),
        (REG, {'use_udp': True}, 'use_udp is True in .* the codec is RegressionLabel.*set use_udp = False'),
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


@pytest.mark.parametrize('use_udp', [False, True])
@pytest.mark.parametrize(
    'codec',
    [
        dict(type='BatchMSRAHeatmap', heatmap_size=(48, 64), sigma=2, unbiased=True),
        dict(type='MegviiHeatmap', heatmap_size=(48, 64), kernel_size=11),
        dict(type='UDPHeatmap', heatmap_size=(48, 64), sigma=2),
        dict(type='SimCCLabel', sigma=6.0, simcc_split_ratio=4.0),
        dict(type='RegressionLabel'),
        dict(type='IntegralRegressionLabel', heatmap_size=(48, 64), sigma=2),
    ],
    ids=lambda codec: codec['type'],
)
def test_the_rule_is_that_by_which_joints_come_back(codec: dict[str, Any], use_udp: bool) -> None:
    """What is cropped, encoded, decoded and put back as MMPose does lies where it was, by one of the rules."""
    codec = dict(codec, input_size=(192, 256))
    pipeline = [dict(type='TopdownAffine', input_size=(192, 256), use_udp=use_udp)]
    data = dict(dataset=dict(type='CocoDataset', pipeline=pipeline))
    cfg = Config(dict(model=dict(head=dict(decoder=codec)), train_dataloader=data))
    if abs(_drift(codec, use_udp)) < abs(_drift(codec, not use_udp)):
        check_codec(cfg, ('train',))
    else:
        with pytest.raises(ConfigError, match=f'use_udp is {use_udp} in TopdownAffine .*set use_udp = {not use_udp}'):
            check_codec(cfg, ('train',))


def _drift(codec: dict[str, Any], use_udp: bool) -> float:
    """How far joints all over a crop lie from where they were in the mean, along x and y, in its pixels."""
    built = KEYPOINT_CODECS.build(codec)
    width, height = codec['input_size']
    grid = np.stack(np.meshgrid(np.linspace(16, width - 17, 9), np.linspace(16, height - 17, 9)), -1)
    joints = grid.reshape(1, -1, 2).astype(np.float32)
    # The box is as large as the crop, so that pixels of the picture are pixels of the crop.
    person = dict(img=np.zeros((300, 300, 3), np.uint8), keypoints=joints, keypoints_visible=np.ones(joints.shape[:2]))
    size, center = np.array([width, height], np.float32), np.array([width, height], np.float32) / 2
    person |= dict(bbox_center=center[None], bbox_scale=size[None])
    person = TopdownAffine((width, height), use_udp=use_udp).transform(person)
    encoded = built.encode(person['transformed_keypoints'], np.ones(joints.shape[:2], np.float32))
    if 'keypoint_x_labels' in encoded:
        found, _ = built.decode(encoded['keypoint_x_labels'], encoded['keypoint_y_labels'])
    else:
        found, _ = built.decode(encoded.get('keypoint_labels', encoded.get('heatmaps')))
    back = found / size * person['input_scale'] + person['input_center'] - 0.5 * person['input_scale']
    return float((back - joints).mean())
