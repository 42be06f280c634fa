"""Whether images are cropped, targets made and predictions decoded at one size, and in one way."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.config import Config
from mmpose.codecs import IntegralRegressionLabel, MegviiHeatmap, MSRAHeatmap, RegressionLabel, SimCCLabel, UDPHeatmap
from mmpose.datasets.transforms import GenerateTarget, TopdownAffine
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS

from sdpose.config.nodes import resolve_type, split_datasets
from sdpose.errors import ConfigError

_SIZES = ('input_size', 'heatmap_size')
# They decode to a picture whose edges are those of its outer pixels; an own codec may decode by any rule.
_NOT_UDP = (MSRAHeatmap, MegviiHeatmap, SimCCLabel, RegressionLabel, IntegralRegressionLabel)


def check_codec(cfg: Config, splits: Sequence[str]) -> None:
    """Check that the codec of the head's decoder has the sizes of the data sets' pipelines, and is UDP's if crops are.

    A size without pixels, or a target without width, is found by nothing before it makes a loss that is NaN.

    A heatmap of another size fails in the first step, with a message that names no config key; a coordinate decoded
    at another size than its image had, or by another rule than it was cropped by, fails nowhere.

    Raises:
        ConfigError: If a size or the rule differs, naming both places; if a size or the width of a target is no
            number above 0.
    """
    decoder = ((cfg.get('model') or {}).get('head') or {}).get('decoder')
    if not isinstance(decoder, dict):
        return
    _require_extent(decoder, 'model.head.decoder')
    for split in splits:
        for step, kind in _steps(cfg, split):
            if issubclass(kind, TopdownAffine):
                _require_one_rule(decoder, step, split)
            made = step.get('encoder') if issubclass(kind, GenerateTarget) else step
            if isinstance(made, dict):
                _require_extent(made, f'{step["type"]} of the {split} data')
                _require_one_size(decoder, made, step['type'], split)
    if not {'val', 'test'}.isdisjoint(splits):
        _require_aligned_flips(cfg, decoder)


def _steps(cfg: Config, split: str) -> Iterator[tuple[dict[str, Any], type]]:
    """The steps of a split's pipelines that crop or make targets, each with its class."""
    for step in (step for dataset in split_datasets(cfg, split) for step in dataset.get('pipeline') or []):
        kind = resolve_type(step, TRANSFORMS)
        if kind is not None and issubclass(kind, (GenerateTarget, TopdownAffine)):
            yield step, kind


def _require_extent(codec: dict[str, Any], where: str) -> None:
    """Refuse sizes without pixels, and a target without width, which is divided by."""
    for key in (*_SIZES, 'sigma'):
        value = codec.get(key)
        numbers = value if isinstance(value, (list, tuple)) else [value]
        for each in (each for each in numbers if isinstance(each, (int, float))):
            if not 0 < each < math.inf or key in _SIZES and each != int(each):
                wanted = 'whole numbers from 1, (w, h)' if key in _SIZES else 'a number above 0'
                raise ConfigError(f'{key} is {value} in {where}: it must be {wanted}; bases take it from codec.{key}')


def _require_one_size(decoder: dict[str, Any], made: dict[str, Any], name: str, split: str) -> None:
    for key in _SIZES:
        if key in made and key in decoder and [*made[key]] != [*decoder[key]]:
            raise ConfigError(
                f'{key} (w, h) is {made[key]} in {name} of the {split} data, but {decoder[key]} in '
                'model.head.decoder: the codec, the pipelines and the decoder belong together; with the data set '
                'bases of configs/_base_/datasets all of them follow codec = dict(input_size=(w, h))'
            )


def _is(codec: dict[str, Any], kind: type | tuple[type, ...]) -> bool:
    found = resolve_type(codec, KEYPOINT_CODECS)
    return found is not None and issubclass(found, kind)


def _require_one_rule(decoder: dict[str, Any], step: dict[str, Any], split: str) -> None:
    """Refuse a UDP codec on another crop, and the other way round: joints would be off by up to half a pixel."""
    is_udp, crops_so = _is(decoder, UDPHeatmap), bool(step.get('use_udp', False))
    if is_udp != crops_so and (is_udp or _is(decoder, _NOT_UDP)):
        raise ConfigError(
            f'use_udp is {crops_so} in {step["type"]} of the {split} data, but the codec is {decoder["type"]}: crop '
            f'and codec follow one rule; set use_udp = {is_udp} (in a config of this project, one variable for all '
            'steps), or another codec'
        )


def _require_aligned_flips(cfg: Config, decoder: dict[str, Any]) -> None:
    """Refuse to move mirrored heatmaps by a cell where they lie as they should."""
    test = cfg.model.get('test_cfg') or {}
    if _is(decoder, UDPHeatmap) and test.get('flip_test') and test.get('shift_heatmap'):
        raise ConfigError(
            f'model.test_cfg.shift_heatmap moves mirrored heatmaps by a cell, but those of {decoder["type"]} lie where '
            'they should: set it to False'
        )
