"""A trained checkpoint reduced to what a deployed model reads, proven to predict the same, named by its content."""

import hashlib
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from sdpose.config.building import build_model
from sdpose.config.load import load_config
from sdpose.config.nodes import input_size
from sdpose.io.atomic import atomic_write
from sdpose.io.checkpoint import (
    STRIPPED,
    TRAINING_ONLY,
    check_checkpoint_path,
    meta_of,
    require_match,
    stripped_of,
    weights_of,
)
from sdpose.io.folders import require_writable
from sdpose.io.weights_file import load_file, pack_safetensors

from .equal_outputs import require_equal_outputs
from .metadata import describe, read_metrics

_HASH_DIGITS = 8
# What a trained or converted checkpoint tells about its making, kept where it is plain text or a number.
_KEPT_META = ('epoch', 'iter', 'converted_from', 'source_epoch', 'method')


class Published(NamedTuple):
    """A published checkpoint.

    Attributes:
        file: Its path.
        difference: Largest difference between the predictions before and after; 0.0 for equal ones.
        tensors: How many it holds.
        stripped: Keys of the model's training-only tensors, which it lacks.
        dropped: The checkpoint's other entries that were left out: optimizer, schedulers and the like.
    """

    file: Path
    difference: float
    tensors: int
    stripped: list[str]
    dropped: list[str]


def publish(
    config: str,
    checkpoint: str,
    out: str,
    metrics: str | None = None,
    cfg_options: dict[str, Any] | None = None,
    safetensors: bool = False,
) -> Published:
    """Write a checkpoint for others: the weights of the deployed model and plain metadata.

    Where an EMA hook averaged the weights, the averaged ones are published: MMEngine saves them as ``state_dict``.
    The model is built with the weights before and with what would be written, and both predict the same random images.

    Args:
        config: Config of the checkpoint, or of another model that its weights fill, such as the TokenPose of an SDPose.
        checkpoint: Path or address of the checkpoint.
        out: A folder (one that exists, or with a slash at its end) for ``<config>-<hash>.pth``, or the beginning of
            the path for ``<out>-<hash>.pth``.
        metrics: The ``metrics.json`` that ``tools/test.py`` wrote for this checkpoint.
        cfg_options: Overrides of the config.
        safetensors: Write ``.safetensors``, with the metadata as text in it, which is read wherever a ``.pth`` is.

    Raises:
        UserError: If a path is wrong, the weights do not fill the model, the metrics are another checkpoint's, or the
            predictions differ. Nothing is written then.
    """
    cfg = load_config(config, cfg_options)
    check_checkpoint_path(checkpoint)
    figures = read_metrics(metrics, checkpoint) if metrics else {}
    loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu', logger='silent')
    before = filled_model(cfg, weights_of(loaded, checkpoint), checkpoint)
    stripped = [key for key in before.state_dict() if key.startswith(TRAINING_ONLY)]
    meta = dict(**describe(cfg, config), **figures, training=_kept_meta(loaded), **{STRIPPED: stripped})
    content = _pack(deployed_weights(before), meta, safetensors)
    after = _model_after(cfg, content, safetensors)
    width, height = input_size(cfg)
    difference = require_equal_outputs(before, after, (height, width), checkpoint)
    file = _file(out, Path(config).stem, content, '.safetensors' if safetensors else '.pth')
    require_writable(file.parent, out)
    with atomic_write(file) as stream:
        stream.write(content.getbuffer())
    dropped = sorted(map(str, set(loaded) - {'state_dict', 'meta'})) if 'state_dict' in loaded else []
    return Published(file, difference, len(deployed_weights(before)), stripped, dropped)


def deployed_weights(model: nn.Module) -> dict[str, Tensor]:
    """The weights that the deployed model reads."""
    return {key: value for key, value in model.state_dict().items() if not key.startswith(TRAINING_ONLY)}


def _build(cfg: Config) -> nn.Module:
    return build_model(cfg.model).eval()


def filled_model(cfg: Config, weights: Mapping[str, Tensor], source: str) -> nn.Module:
    """The model of a config as a checkpoint has it, in eval mode; of training-only tensors, those that both have.

    Args:
        cfg: The config.
        weights: The checkpoint's weights.
        source: What the message calls them.

    Raises:
        MismatchError: If the weights are those of another model.
    """
    model = _build(cfg)
    own = model.state_dict()
    optional = {key: value for key, value in own.items() if key.startswith(TRAINING_ONLY)}
    weights = {key: value for key, value in weights.items() if key in own or not key.startswith(TRAINING_ONLY)}
    require_match(model, {**optional, **weights}, source, 'Use the config that the checkpoint was trained with.')
    model.load_state_dict({**own, **weights})
    return model


def _pack(weights: Mapping[str, Tensor], meta: dict[str, Any], safetensors: bool) -> BytesIO:
    """The file to write."""
    if safetensors:
        return BytesIO(pack_safetensors(weights, meta))
    content = BytesIO()
    # Cloned, because a tensor may be a window on a larger one that would be saved whole.
    torch.save(dict(meta=meta, state_dict={key: value.clone() for key, value in weights.items()}), content)
    return content


def _model_after(cfg: Config, content: BytesIO, safetensors: bool) -> nn.Module:
    """The model as a user of the written file will have it; plain torch reads a ``.pth``."""
    content.seek(0)
    published = load_file(content) if safetensors else torch.load(content, map_location='cpu', weights_only=True)
    model = _build(cfg)
    model.load_state_dict({**weights_of(published), **stripped_of(model, published)}, strict=True)
    return model


def _kept_meta(loaded: Mapping) -> dict[str, Any]:
    meta = meta_of(loaded)
    if isinstance(training := meta.get('training'), Mapping):  # of a file that was published before
        meta = {**training, **meta}
    return {key: meta[key] for key in _KEPT_META if isinstance(meta.get(key), (int, str))}


def _file(out: str, stem: str, content: BytesIO, ending: str) -> Path:
    """The path, named by the first digits of the content's SHA-256, as ``torch.hub`` checks them."""
    digest = hashlib.sha256(content.getbuffer()).hexdigest()[:_HASH_DIGITS]
    beginning = os.path.join(out, stem) if os.path.isdir(out) or out.endswith(os.sep) else out.removesuffix(ending)
    return Path(f'{beginning}-{digest}{ending}')
