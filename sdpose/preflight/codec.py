"""Whether images are cropped, targets made and predictions decoded at one size."""

from collections.abc import Iterator
from typing import Any, Optional

from mmengine.config import Config

from sdpose.errors import ConfigError

_SIZES = ('input_size', 'heatmap_size')


def check_codec(cfg: Config, splits: tuple[str, ...]) -> None:
    """Check that the codec of the head's decoder has the sizes of the data sets' pipelines.

    A heatmap of another size fails in the first step, with a message that names no config key; a coordinate decoded
    at another size than its image had fails nowhere.

    Args:
        cfg: The config.
        splits: Of ``'train'``, ``'val'``, ``'test'``, those that will be used.

    Raises:
        ConfigError: If a size differs, naming both places.
    """
    head = cfg.get('model', {}).get('head') or {}
    decoder = head.get('decoder')
    if not isinstance(decoder, dict):
        return
    for split in splits:
        for step in _steps((cfg.get(f'{split}_dataloader') or {}).get('dataset')):
            made = step.get('encoder') if step.get('type') == 'GenerateTarget' else step
            if step.get('type') not in ('GenerateTarget', 'TopdownAffine') or not isinstance(made, dict):
                continue
            for name in _SIZES:
                if name in made and name in decoder and [*made[name]] != [*decoder[name]]:
                    raise ConfigError(
                        f'{name} (w, h) is {made[name]} in {step["type"]} of the {split} data, but '
                        f'{decoder[name]} in model.head.decoder: the codec, the pipelines and the decoder belong '
                        'together; for another size inherit another data set base (configs/_base_/datasets), where '
                        'all of them are written, and head=dict(decoder=_base_.codec)')


def _steps(dataset: Optional[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The transforms of a data set and of those that it wraps."""
    if not isinstance(dataset, dict):
        return
    yield from dataset.get('pipeline') or []
    for part in [dataset.get('dataset'), *(dataset.get('datasets') or [])]:
        yield from _steps(part)
