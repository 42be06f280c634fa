"""Which of this project's configs a released checkpoint belongs to, found by filling their models."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from torch import Tensor, nn

from sdpose.config.building import build_model
from sdpose.config.find import config_dir
from sdpose.config.load import load_config
from sdpose.errors import ConfigError
from sdpose.io.checkpoint import Comparison, compare
from sdpose.models.transformers import MultiCycledTransformer

from .official import Converted, convert_model

# The methods of the released code and the data sets of its papers, as folders below configs/.
METHODS = ('sdpose', 'tokenpose', 'ppt', 'distilpose')
DATASETS = ('coco', 'crowdpose', 'mpii')
SHARED = 'SDPose or PPT'


class Candidate(NamedTuple):
    """A config and its model, which has shapes but no values and has read no pretrained file.

    Attributes:
        file: The config's path.
        config: The config.
        model: The model, on torch's device without memory.
    """

    file: Path
    config: Config
    model: nn.Module


class Fit(NamedTuple):
    """How a released checkpoint fills the model of a config.

    Attributes:
        file: The config's path.
        config: The config.
        converted: The checkpoint's weights, with the patch projection cut for this config's patches.
        difference: What is missing, unexpected or misshaped; false if nothing is.
    """

    file: Path
    config: Config
    converted: Converted
    difference: Comparison


def method_of(state: Mapping[str, Tensor]) -> str:
    """What the keys of a released checkpoint say about its method."""
    if not any(key.startswith('keypoint_head.tokenhead.') for key in state):
        return SHARED if _is_cycled(state) else 'TokenPose'
    return 'SDPose-Reg' if any('.flow_model.' in key for key in state) else 'DistilPose'


@lru_cache(maxsize=1)
def shipped() -> tuple[Candidate, ...]:
    """The configs of the released methods on the data sets of their papers."""
    return tuple(
        candidate(file)
        for method in METHODS
        for dataset in DATASETS
        for file in sorted(config_dir().glob(f'{method}/{dataset}/*.py'))
    )


def candidate(file: Path) -> Candidate:
    """Read a config and build its model without values.

    Raises:
        ConfigError: If the config has no token model.
    """
    config = load_config(file)
    with torch.device('meta'):
        model = build_model(config.model)
    if not isinstance(getattr(model, 'neck', None), MultiCycledTransformer):
        raise ConfigError(f'{file} has no MultiCycledTransformer, which every released model has')
    return Candidate(file, config, model)


def fit(state: Mapping[str, Tensor], tried: Candidate) -> Fit:
    """Compare a released checkpoint with a config's model."""
    converted = convert_model(state, tuple(tried.config.model.neck.patch_size))
    model: Any = tried.model
    tokenizer, stored = model.neck.tokenizer, converted.position
    learned = isinstance(tokenizer.position, nn.Parameter)
    if learned and stored is not None:  # a weight like others
        converted = converted._replace(weights={**converted.weights, 'neck.tokenizer.position': stored}, position=None)
    difference = compare(tried.model, converted.weights)
    difference.unexpected.update({key: tuple(value.shape) for key, value in converted.unknown.items()})
    shape = tuple(sine_code(tokenizer).shape)
    if learned:
        pass
    elif stored is None:
        difference.missing['pos_embedding'] = shape
    elif tuple(stored.shape) != shape:
        difference.misshaped['pos_embedding'] = (shape, tuple(stored.shape))
    return Fit(tried.file, tried.config, converted, difference)


def sine_code(tokenizer: Any) -> Tensor:
    """The position embedding of the visual tokens alone, (1, P, D), as a released checkpoint stores it."""
    return tokenizer.position[:, tokenizer.num_queries :]


def ranked_fits(state: Mapping[str, Tensor]) -> list[Fit]:
    """How the checkpoint fills every shipped config, best first.

    Fewest differences come first; among configs whose models have the same weights there is a rule. Cycles, pruning
    and distillation leave no trace in weights. The release calls the transformer of SDPose and of PPT
    ``transformer_layer1``, that of TokenPose ``transformer``: so the former prefers a config with several cycles, the
    latter one with a single cycle, both one without pruning, and of several of these the shortest name.
    """
    cycled = _is_cycled(state)

    def rank(each: Fit) -> tuple:
        neck, count = each.config.model.neck, each.difference
        return (
            len(count.missing) + len(count.unexpected) + len(count.misshaped),
            (neck.get('num_cycles', 1) > 1) != cycled,
            neck.get('pruner') is not None,
            len(each.file.stem),
            each.file.stem,
        )

    return sorted((fit(state, tried) for tried in shipped()), key=rank)


def _is_cycled(state: Mapping[str, Tensor]) -> bool:
    return any(re.match(r'keypoint_head\.\w+\.transformer_layer1\.', key) for key in state)
