"""Models of others, built from MMPose's own configs, and who is on the front of latency and published AP.

Shapes: B batch, D width, H and W the image size in pixels.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mmpose
import torch
import yaml
from mmengine.config import Config
from mmpose.models.heads import HeatmapHead
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.benchmarks.table import Table
from sdpose.models.transformers import TransformerLayer

from .subjects import Subject, randomize, subject
from .variants import Measured

_FOLDER = Path(mmpose.__path__[0]) / '.mim/configs/body_2d_keypoint'
_HEATMAP = 'topdown_heatmap/coco/td-hm_'
# Short name: config, and the file in which MMPose publishes its result. All of 256x192, trained on COCO alone.
_CONFIGS = {
    'RTMPose-t': ('rtmpose/coco/rtmpose-t_8xb256-420e_coco-256x192', 'rtmpose/coco/rtmpose_coco.yml'),
    'RTMPose-s': ('rtmpose/coco/rtmpose-s_8xb256-420e_coco-256x192', 'rtmpose/coco/rtmpose_coco.yml'),
    'RTMPose-m': ('rtmpose/coco/rtmpose-m_8xb256-420e_coco-256x192', 'rtmpose/coco/rtmpose_coco.yml'),
    'SimpleBaseline-R50': (f'{_HEATMAP}res50_8xb64-210e_coco-256x192', 'topdown_heatmap/coco/resnet_coco.yml'),
    'HRNet-W32': (f'{_HEATMAP}hrnet-w32_8xb64-210e_coco-256x192', 'topdown_heatmap/coco/hrnet_coco.yml'),
    'ViTPose-S': (f'{_HEATMAP}ViTPose-small_8xb64-210e_coco-256x192', 'topdown_heatmap/coco/vitpose_coco.yml'),
}


def all_peers() -> list[Subject]:
    """The models, with random weights and the AP that MMPose publishes."""
    return [_peer(name, *files) for name, files in _CONFIGS.items()]


def _peer(name: str, config: str, results: str) -> Subject:
    """One model."""
    cfg = Config.fromfile(str(_FOLDER / f'{config}.py'))
    width, height = cfg.codec.input_size
    if cfg.model.backbone.type.startswith('mmpretrain.'):
        model: Any = _ViTPose(cfg.model, (height, width))
    else:
        cfg.model.backbone.update(_scope_='mmpose', init_cfg=None)  # MMPose has the same backbones
        model = MODELS.build(cfg.model)
    randomize(_without_sync(model))
    return subject(name, model, (height, width), _published(_FOLDER / results, Path(config).name), False)


def _without_sync(model: nn.Module) -> nn.Module:
    """A model whose synchronized batch norms, which need a GPU, are plain ones."""
    for parent in model.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.SyncBatchNorm):
                setattr(parent, name, nn.BatchNorm2d(child.num_features, child.eps))
    return model


def _published(file: Path, name: str) -> float | None:
    """The AP of a config in a file of MMPose's, in percent."""
    for entry in yaml.safe_load(file.read_text())['Models']:
        if entry['Name'] == name:
            return 100 * float(entry['Results'][0]['Metrics']['AP'])
    return None


class _ViTPose(nn.Module):
    """ViTPose's arithmetic in this project's layers: its backbone is in a package that MMPose does not install.

    Args:
        model: The ``model`` of MMPose's config.
        size: (H, W) of the images.
    """

    def __init__(self, model: Mapping[str, Any], size: tuple[int, int]) -> None:
        super().__init__()
        backbone, arch = model['backbone'], model['backbone']['arch']
        dim, patch = arch['embed_dims'], backbone['patch_size']
        self.patch_embed = nn.Conv2d(3, dim, patch, patch, backbone['patch_cfg']['padding'])
        tokens = (size[0] // patch) * (size[1] // patch)
        self.position = nn.Parameter(0.02 * torch.randn(1, tokens, dim))
        ratio = arch['feedforward_channels'] / dim
        self.layers = nn.ModuleList(
            TransformerLayer(dim, arch['num_heads'], ratio, qkv_bias=True) for _ in range(arch['num_layers'])
        )
        self.norm = nn.LayerNorm(dim)
        head = {key: value for key, value in model['head'].items() if key != 'type'}
        self.head = HeatmapHead(**head)

    def extract_feat(self, image: Tensor) -> tuple[Tensor]:
        """The map (B, D, H / 16, W / 16) of images (B, 3, H, W)."""
        patches = self.patch_embed(image)  # (B, D, H / 16, W / 16)
        tokens = patches.flatten(2).transpose(1, 2) + self.position  # (B, tokens, D)
        layer: Any
        for layer in self.layers:
            update, _ = layer.attend(tokens)
            tokens = layer.feed(update)
        return (self.norm(tokens).transpose(1, 2).unflatten(2, patches.shape[2:]),)

    def forward(self, image: Tensor, samples: None = None, mode: str = 'tensor') -> Tensor:
        """The heatmaps of images, as MMPose's estimators give them."""
        return self.head.forward(self.extract_feat(image))


def front(results: Sequence[Measured], method: str) -> Table:
    """Who is on the front of latency and AP, and by how much the others miss it.

    Args:
        results: All models, measured in one run.
        method: What they were measured on.
    """
    known = [(result, *result.best()) for result in results if result.subject.ap is not None]
    rows = []
    for result, runtime, time in sorted(known, key=lambda entry: entry[2]):
        ap = float(result.subject.ap or 0)
        better = [
            (other, ms)
            for other, _, ms in known
            if other is not result and ms <= time and float(other.subject.ap or 0) >= ap
        ]
        row = {
            'model': result.subject.name,
            'ms': round(time, 2),
            'in': runtime,
            'AP (paper)': f'{ap:.1f}',
            'on the front': 'no' if better else 'yes',
        }
        if better:
            ahead, ms = max(better, key=lambda entry: (float(entry[0].subject.ap or 0), -entry[1]))
            row['misses it by'] = (
                f'{time / ms - 1:.0%} of time and {float(ahead.subject.ap or 0) - ap:.1f} AP ({ahead.subject.name})'
            )
        rows.append(row)
    notes = (
        f'{method}.',
        'The fastest float32 variant of each. Weights are random; AP is quoted from the papers, of others from '
        "MMPose's model zoo, and was not measured here.",
    )
    return Table('Latency and AP', ('model', 'ms', 'in', 'AP (paper)', 'on the front', 'misses it by'), rows, notes)
