"""Small models as exported files with their metadata, for the tests of what runs them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from mmengine.config import Config
from torch import Tensor, nn

from sdpose.config.nodes import input_size
from sdpose.preflight.metainfo import load_metainfo
from sdpose.version import __version__

NAMES = dict(
    heatmaps=['heatmaps'],
    coordinates=['keypoints', 'scores'],
    joints=['keypoints', 'scores'],
    simcc=['simcc_x', 'simcc_y'],
    classes=['logits'],
)


class Deployed(nn.Module):
    """What is exported of a model: the output of the deployed cycle, for normalized images (B, 3, H, W)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Any:
        """Heatmaps, logits, or coordinates and scores."""
        found = self.model.head.forward(self.model.extract_feat(image))
        return (found.coords, found.confidence) if hasattr(found, 'confidence') else found


def describe(cfg: Config, kind: str, **changes: Any) -> dict[str, Any]:
    """The metadata of an exported pose model; changes replace whole entries."""
    meta = load_metainfo(cfg.test_dataloader.dataset)
    preprocessor, flip = cfg.model.data_preprocessor, cfg.model.get('test_cfg') or {}
    metadata = dict(
        format_version=1,
        sdpose_version=__version__,
        config=Path(cfg.filename).stem,
        task='pose',
        input=dict(
            name='image',
            size=list(input_size(cfg)),
            mean=list(preprocessor.mean),
            std=list(preprocessor.std),
            channel_order='rgb',
            batch=None,
        ),
        output=dict(kind=kind, names=NAMES[kind]),
        joints=dict(
            names=[meta['keypoint_id2name'][number] for number in range(meta['num_keypoints'])],
            flip_pairs=[[one, other] for one, other in enumerate(meta['flip_indices']) if one < other],
            skeleton=[list(map(int, limb)) for limb in meta['skeleton_links']],
            sigmas=[float(sigma) for sigma in meta['sigmas']],
        ),
        codec=cfg.model.head.decoder.to_dict(),
        padding=1.25,
        flip_test=dict(
            enabled=flip.get('flip_test', False), inside=False, shift_heatmap=flip.get('shift_heatmap', False)
        ),
        precision='fp32',
        metrics=None,
        weights_sha256='0' * 64,
        runtime='onnx',
        file='model.onnx',
    )
    return {**metadata, **changes}


def write_onnx(module: nn.Module, file: Path, metadata: dict[str, Any], batch: int | None = None) -> Path:
    """Export a module of one image input; with a number of images for good, or a free one."""
    width, height = metadata['input']['size']
    names: Sequence[str] = metadata['output']['names']
    torch.onnx.export(
        module.eval(),  # the exporter restores the mode of what it was given, of all that it wraps, too
        (torch.zeros(batch or 2, 3, height, width),),
        str(file),
        dynamo=False,
        opset_version=17,
        input_names=[metadata['input']['name']],
        output_names=list(names),
        dynamic_axes=None if batch else {name: {0: 'batch'} for name in [metadata['input']['name'], *names]},
    )
    label_onnx(file, json.dumps(metadata))
    return file


def label_onnx(file: Path, text: str | None) -> None:
    """Put the metadata into a file, or take them out."""
    content = onnx.load(str(file))
    del content.metadata_props[:]
    if text is not None:
        onnx.helper.set_model_props(content, dict(sdpose=text))
    onnx.save(content, str(file))
