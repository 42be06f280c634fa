"""What is timed: a model of a config with weights under which an output depends on the image.

Shapes: B batch, H and W the image size in pixels.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from sdpose.apis.complexity import count_macs
from sdpose.config.building import build_model
from sdpose.config.load import load_config
from sdpose.config.metafiles import iter_results
from sdpose.config.nodes import input_size
from sdpose.converters.publishing import filled_model
from sdpose.io.checkpoint import check_checkpoint_path, weights_of
from sdpose.models.backbones import StemNet
from sdpose.models.heads import TokenPoseHead
from sdpose.models.transformers import MultiCycledTransformer


class Subject(NamedTuple):
    """A model, and what is known of it.

    Attributes:
        name: Its short name.
        model: It, in eval mode.
        size: (H, W) of its images.
        macs: Multiply-adds of one deployed pass of one image, attention included, nothing left out.
        ap: The published AP, None if there is none.
        ours: Whether it is of this project.
        cfg: Its config; None for a model without.
        checkpoint: Where its weights are from; None for random ones.
    """

    name: str
    model: Any
    size: tuple[int, int]
    macs: int
    ap: float | None
    ours: bool
    cfg: Config | None = None
    checkpoint: str | None = None


def ours(config: str, checkpoint: str | None) -> Subject:
    """A config of this project, or a user's, with trained weights or random ones.

    Raises:
        UserError: If the config or the checkpoint is wrong.
    """
    MMLogger.get_current_instance().setLevel('ERROR')
    cfg = load_config(config)
    init_default_scope('mmpose')
    if checkpoint is None:
        model: Any = build_model(cfg.model)
        randomize(model)
    else:
        check_checkpoint_path(checkpoint)
        loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu', logger='silent')
        model = filled_model(cfg, weights_of(loaded, checkpoint), checkpoint)
    stem = Path(str(cfg.filename)).stem
    width, height = input_size(cfg)
    return subject(stem.split('_')[0], model, (height, width), published_ap(stem), True, cfg, checkpoint)


def subject(name: str, model: Any, size: tuple[int, int], ap: float | None, is_ours: bool, *origin: Any) -> Subject:
    """A model with its multiply-adds counted."""
    model.eval().requires_grad_(False)
    _, macs = count_macs(model, torch.zeros(1, 3, *size), training=False)
    return Subject(name, model, size, macs, ap, is_ours, *origin)


def randomize(model: nn.Module) -> None:
    """Weights under which every layer passes on what it gets; all variants of a model share them."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(module.weight, nonlinearity='relu')
        elif isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
    for name, buffer in model.named_buffers():
        if name.endswith('running_mean'):
            nn.init.normal_(buffer, std=0.1)
        elif name.endswith('running_var'):
            nn.init.uniform_(buffer, 0.5, 2.0)


@cache
def _published() -> dict[str, float]:
    """The papers' AP on COCO's validation set by the name of a config."""
    return {each.model: each.value for each in iter_results() if (each.metric, each.source) == ('AP', 'paper')}


def published_ap(name: str) -> float | None:
    """The AP that the paper gives a config, in percent."""
    return _published().get(name)


class ByHand(nn.Module):
    """The released way with a model's own weights: all cycles run, attention unfused, every map kept.

    Args:
        subject: A model of tokens and heatmaps without a pruner; a backbone other than StemNet is taken as it is.
    """

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        model, neck = subject.model, subject.model.neck
        weights = model.state_dict()
        channels = weights['neck.tokenizer.patch_embed.weight'].shape[1]
        self.hand = _source().SDPose(
            image=subject.size,
            patch=tuple(neck.tokenizer.patch_embed.kernel_size),
            joints=neck.tokenizer.num_queries,
            stem=channels // 4,
            blocks=len(model.backbone.layer1) if type(model.backbone) is StemNet else 0,
            dim=neck.tokenizer.query.shape[-1],
            depth=len(neck.layers),
            heads=neck.layers[0].attn.num_heads,
            cycles=neck.num_cycles,
        )
        own = type(model.backbone) is StemNet
        kept = {name: value for name, value in weights.items() if own or not name.startswith('backbone.')}
        if not own:
            self.hand.backbone = nn.Identity()
        self.hand.load_state_dict(kept, strict=True)
        if not own:
            self.hand.backbone = _LastMap(model.backbone)
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        """The deployed heatmaps of images (B, 3, H, W)."""
        return self.hand.predict(image)

    @staticmethod
    def knows(model: Any) -> bool:
        """Whether the file by hand has the parts of a model."""
        return (
            type(getattr(model, 'neck', None)) is MultiCycledTransformer
            and model.neck.pruner is None
            and type(model.head) is TokenPoseHead
            and _file().is_file()
        )


class _LastMap(nn.Module):
    """A backbone whose last map alone is wanted."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, image: Tensor) -> Tensor:
        return self.backbone(image)[-1]


def _file() -> Path:
    """The model by hand; it is beside the package in a checkout, and not part of an installation."""
    return Path(__file__).parents[3] / 'tests/by_hand/sdpose_s.py'


@cache
def _source() -> Any:
    spec = importlib.util.spec_from_file_location('sdpose_by_hand', _file())
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
