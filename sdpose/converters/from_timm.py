"""Read a DeiT checkpoint of timm, or of the DeiT release, and write it as one of this project."""

from collections.abc import Mapping
from pathlib import Path

from mmengine.runner import CheckpointLoader
from torch import Tensor

from sdpose.config.building import build_model
from sdpose.config.load import load_config
from sdpose.errors import ConfigError, MismatchError
from sdpose.io.checkpoint import check_checkpoint_path, require_match, require_target, weights_of, write_checkpoint
from sdpose.io.folders import require_writable
from sdpose.io.weights_file import require_finite

from .timm_vit import vit_from_timm

DEFAULT_CONFIG = 'configs/classification/imagenet/deit-tiny_8xb128-300e_imagenet-224x224.py'


def convert_timm_file(source: str, target: str, config: str = DEFAULT_CONFIG) -> int:
    """Convert a checkpoint and verify that it fills a config's model exactly.

    Args:
        source: Path of a ``.safetensors`` or ``.pth`` file (bare weights, or below ``model`` or ``state_dict``), or
            the address of the latter.
        target: The ``.pth`` to write.
        config: Config of the model.

    Returns:
        The number of tensors.

    Raises:
        UserError: If a path is wrong, or the weights are not those of the config's model.
    """
    require_target(source, target)
    require_writable(Path(target).absolute().parent, target)
    check_checkpoint_path(source)
    try:
        weights = vit_from_timm(_read(source))
    except MismatchError as error:
        raise MismatchError(f'{source}: {error}') from error
    cfg = load_config(config)
    model = build_model(cfg.model)
    require_match(model, weights, source, f'Name the config that it belongs to with --config; this was {config}.')
    require_finite(weights, source)
    meta = dict(converted_from=Path(source).name, config=Path(config).name)
    write_checkpoint(dict(meta=meta, state_dict={key: value.clone() for key, value in weights.items()}), target)
    return len(weights)


def _read(source: str) -> Mapping[str, Tensor]:
    """The weights of a file.

    Raises:
        UserError: If they cannot be read.
    """
    if source.endswith('.safetensors'):
        try:
            from safetensors.torch import load_file
        except ImportError as error:
            raise ConfigError('reading .safetensors needs the package safetensors: pip install safetensors') from error
        try:
            return load_file(source)
        except Exception as error:  # safetensors has an exception class of its own for each version
            raise MismatchError(f'{source} is not a safetensors file: {error}') from error
    checkpoint = CheckpointLoader.load_checkpoint(source, map_location='cpu')
    if isinstance(checkpoint, Mapping) and isinstance(checkpoint.get('model'), Mapping):  # the DeiT release
        checkpoint = checkpoint['model']
    return weights_of(checkpoint, source)
