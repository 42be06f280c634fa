"""What a file says about itself: all that a program needs to feed it and to read it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine
from mmpose.registry import DATASETS, TRANSFORMS
from torch import Tensor

from sdpose.config.joint_names import joint_names
from sdpose.config.nodes import input_size, resolve_type, split_datasets
from sdpose.errors import ConfigError
from sdpose.version import __version__

from .. import runtime
from ..codec import under_mmposes_name
from .graph import INPUT, DeployedGraph, Flip, normalization

KEY, FILE = runtime.METADATA_KEY, runtime.METADATA_FILE  # of the metadata, inside a file and beside it


def joints_of(cfg: Config) -> dict[str, Any]:
    """Names, flip pairs, skeleton and sigmas of a config's joints; empty for a classifier.

    Raises:
        ConfigError: If no data set of the config names as many joints as the model has.
    """
    if cfg.model.head.type == 'TokenClsHead':
        return {}
    for split in ('test', 'val', 'train'):
        for dataset in split_datasets(cfg, split):
            part = resolve_type(dataset, DATASETS)
            info = dataset.get('metainfo') or getattr(part, 'METAINFO', None)
            if info:
                return _joints(dict(info))
    raise ConfigError(f'{cfg.filename}: no data set of the config has metainfo, so the joints have no names')


def _joints(info: dict[str, Any]) -> dict[str, Any]:
    meta = parse_pose_metainfo(info)
    return dict(
        names=joint_names(meta),
        flip_pairs=[[*pair] for pair in sorted({tuple(sorted(map(int, pair))) for pair in meta['flip_pairs']})],
        skeleton=[[*map(int, link)] for link in meta['skeleton_links']],
        sigmas=[round(float(value), 6) for value in meta['sigmas']],
    )


def flip_indices(joints: Mapping[str, Any]) -> tuple[int, ...]:
    """Which joint each joint becomes in a mirror; empty where there are no joints."""
    order = runtime.flip_indices(len(joints.get('names', ())), joints.get('flip_pairs', ()))
    return tuple(order.tolist())


def describe(
    cfg: Config, config: str, graph: DeployedGraph, flip: Flip, joints: dict[str, Any], batch: int | None
) -> dict[str, Any]:
    """The metadata but for what a format adds: ``precision``, ``runtime``, ``file``.

    Args:
        cfg: The config.
        config: Its name or file, of which the name is kept.
        graph: What the file holds.
        flip: The flip test of the config.
        joints: As :func:`joints_of` gives them.
        batch: Images at a time, None if it is free.
    """
    mean, std = normalization(cfg)
    preprocessor = cfg.model.get('data_preprocessor') or {}
    swaps = preprocessor.get('bgr_to_rgb', False) or preprocessor.get('rgb_to_bgr', False)
    rgb = (swaps or graph.kind == 'classes') and not graph.swap
    beside = list(graph.beside)
    decoded, decoder = graph.kind != graph.natural, cfg.model.head.get('decoder')
    return dict(
        format_version=runtime.FORMAT_VERSION,
        sdpose_version=__version__,
        config=Path(config).stem,
        task='classes' if graph.kind == 'classes' else 'pose',
        input=dict(
            name=INPUT,
            size=list(input_size(cfg)),
            mean=mean,
            std=std,
            channel_order='rgb' if rgb else 'bgr',
            batch=batch,
        ),
        output=dict(
            kind=graph.kind,
            names=list(graph.names),
            **(dict(beside=beside) if beside else {}),
            **(dict(state=list(graph.state)) if graph.state else {}),
        ),
        joints=joints,
        codec=None if decoder is None else under_mmposes_name(decoder),
        padding=float(_cropping(cfg, GetBBoxCenterScale).get('padding', 1.25)),
        use_udp=bool(_cropping(cfg, TopdownAffine).get('use_udp', False)),
        flip_test=dict(
            enabled=graph.inside or flip.enabled and not decoded,
            inside=graph.inside,
            shift_heatmap=flip.shift_heatmap,
            shift_coords=flip.shift_coords,
        ),
    )


def _cropping(cfg: Config, kind: type) -> dict[str, Any]:
    """The step of a class in the first split that has one, of those that crop people; empty if none does."""
    for split in ('test', 'val', 'train'):
        for dataset in split_datasets(cfg, split):
            for step in dataset.get('pipeline') or ():
                part = resolve_type(step, TRANSFORMS)
                if part is not None and issubclass(part, kind):
                    return step
    return {}


def digest(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 of named weights, whatever file they came from."""
    result = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        result.update(f'{name} {value.dtype} {tuple(value.shape)}\n'.encode())
        result.update(value.flatten().numpy().tobytes())
    return result.hexdigest()
