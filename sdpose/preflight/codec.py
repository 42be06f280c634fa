"""Whether images are cropped, targets made and predictions decoded at one size."""

from collections.abc import Sequence

from mmengine.config import Config
from mmpose.datasets.transforms import GenerateTarget, TopdownAffine
from mmpose.registry import TRANSFORMS

from sdpose.config.nodes import resolve_type, split_datasets
from sdpose.errors import ConfigError

_SIZES = ('input_size', 'heatmap_size')


def check_codec(cfg: Config, splits: Sequence[str]) -> None:
    """Check that the codec of the head's decoder has the sizes of the data sets' pipelines.

    A heatmap of another size fails in the first step, with a message that names no config key; a coordinate decoded
    at another size than its image had fails nowhere.

    Raises:
        ConfigError: If a size differs, naming both places.
    """
    head = cfg.get('model', {}).get('head') or {}
    decoder = head.get('decoder')
    if not isinstance(decoder, dict):
        return
    for split in splits:
        for step in (step for dataset in split_datasets(cfg, split) for step in dataset.get('pipeline') or []):
            kind = resolve_type(step, TRANSFORMS)
            if kind is None or not issubclass(kind, (GenerateTarget, TopdownAffine)):
                continue
            made = step.get('encoder') if issubclass(kind, GenerateTarget) else step
            if not isinstance(made, dict):
                continue
            for name in _SIZES:
                if name in made and name in decoder and [*made[name]] != [*decoder[name]]:
                    raise ConfigError(
                        f'{name} (w, h) is {made[name]} in {step["type"]} of the {split} data, but '
                        f'{decoder[name]} in model.head.decoder: the codec, the pipelines and the decoder belong '
                        'together; with the data set bases of configs/_base_/datasets all of them follow '
                        'codec = dict(input_size=(w, h))'
                    )
