"""Whether the parts of a model hand on what the next one takes, and its head predicts the joints that the data have."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.codecs import MegviiHeatmap, MSRAHeatmap, UDPHeatmap
from mmpose.models.heads import HeatmapHead, IntegralRegressionHead, RegressionHead, RLEHead, SimCCHead
from mmpose.models.necks import GlobalAveragePooling
from mmpose.registry import KEYPOINT_CODECS, MODELS
from torch import Tensor

from sdpose.config.nodes import input_size, resolve_type, split_datasets
from sdpose.errors import ConfigError, UserError
from sdpose.models.transformers import MultiCycledTransformer

from .metainfo import load_metainfo

# By class of a head, the argument that says how many joints it predicts.
_COUNTS = (
    (HeatmapHead, 'out_channels'),
    (SimCCHead, 'out_channels'),
    (RegressionHead, 'num_joints'),
    (RLEHead, 'num_joints'),
    (IntegralRegressionHead, 'num_joints'),
)


def check_channels(cfg: Config, splits: Sequence[str]) -> None:
    """Check widths from part to part, which fail in the first step, with a message of torch's that names no key.

    Raises:
        ConfigError: Naming both keys.
    """
    model = cfg.get('model') or {}
    neck, head = model.get('neck') or {}, model.get('head') or {}
    kind = resolve_type(neck, MODELS) if neck else None
    if kind is not None and issubclass(kind, MultiCycledTransformer):
        dim = neck.get('dim', inspect.signature(kind.__init__).parameters['dim'].default)
        if head.get('in_channels', dim) != dim:
            raise ConfigError(
                f'model.head.in_channels is {head["in_channels"]}, but model.neck.dim is {dim}, the width of the '
                'tokens that it gets: set both to one number'
            )
        _check_backbone(cfg, 'neck', neck)
    elif not neck or kind is GlobalAveragePooling:
        _check_backbone(cfg, 'head', head)
    _check_joints(cfg, head, splits)


def _check_backbone(cfg: Config, name: str, part: dict[str, Any]) -> None:
    """Compare what a part takes with what the backbone gives it."""
    wanted = part.get('in_channels')
    backbone = (cfg.get('model') or {}).get('backbone')
    if not isinstance(wanted, int) or not isinstance(backbone, dict):
        return
    given = _last_map(cfg, backbone)
    if given is not None and given.shape[1] != wanted:
        raise ConfigError(
            f'model.{name}.in_channels is {wanted}, but model.backbone ({backbone.get("type")}) gives '
            f'{given.shape[1]} channels: set it to that'
        )


def _last_map(cfg: Config, backbone: dict[str, Any]) -> Tensor | None:
    """The last feature map of a backbone, without values; None if that cannot be found out in this way."""
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    try:
        width, height = input_size(cfg)
        with torch.device('meta'), torch.no_grad():
            part = MODELS.build({**backbone, 'init_cfg': None})
            part.eval()  # some return nothing
            found: Any = part(torch.empty(1, 3, height, width))
    except Exception:  # of any class of anybody's, which the run itself will report
        return None
    found = found[-1] if isinstance(found, (list, tuple)) and found else found
    return found if isinstance(found, Tensor) and found.ndim == 4 else None


def _check_joints(cfg: Config, head: dict[str, Any], splits: Sequence[str]) -> None:
    kind = resolve_type(head, MODELS) if head else None
    key = next((key for base, key in _COUNTS if kind is base), None)
    if key is None or not isinstance(head.get(key), int):
        return
    codec = resolve_type(head.get('decoder') or {}, KEYPOINT_CODECS)
    is_map = kind in (HeatmapHead, IntegralRegressionHead)
    if is_map and (
        codec is None
        or not issubclass(codec, (MSRAHeatmap, UDPHeatmap, MegviiHeatmap))
        or head['decoder'].get('heatmap_type') == 'combined'
    ):
        return  # maps of another kind than one per joint
    for split in splits:
        joints = _joints(cfg, split)
        if joints is not None and joints != head[key]:
            raise ConfigError(
                f'model.head.{key} is {head[key]}, but the {split} data have {joints} key points per person: set it to '
                'that (the configs here write _base_.num_keypoints)'
            )


def _joints(cfg: Config, split: str) -> int | None:
    """How many joints a person of the data has when a model gets it; None if that is not one number."""
    found = set()
    datasets = split_datasets(cfg, split)
    steps = [step for dataset in datasets for step in dataset.get('pipeline') or []]
    if any(step.get('type') == 'KeypointConverter' for step in steps):
        return None  # counted by the checks of the data
    for dataset in datasets:
        if 'dataset' in dataset or 'datasets' in dataset:
            continue
        try:
            found.add(load_metainfo(dataset)['num_keypoints'])
        except (UserError, KeyError):
            return None
    return found.pop() if len(found) == 1 else None
