"""A trained model, and a picture as the model sees it.

Shapes: K query tokens, h and w the size of the model's input in pixels.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.runner import CheckpointLoader
from torch import Tensor

from sdpose.config.building import building
from sdpose.config.joint_names import joint_names
from sdpose.config.nodes import iter_leaves
from sdpose.config.options import prepare
from sdpose.converters.publishing import filled_model
from sdpose.errors import ConfigError, DataError, UserError
from sdpose.io.checkpoint import CYCLE_ADAPTER, check_checkpoint_path, labels_of, meta_of, weights_of
from sdpose.io.pictures import read_picture
from sdpose.io.single_picture import check_source, three_channels
from sdpose.models.estimators import DistillClassifier
from sdpose.models.outputs import extract_features
from sdpose.models.transformers import MultiCycledTransformer
from sdpose.preflight.metainfo import load_metainfo
from sdpose.structures import CycleTokens
from sdpose.visualization import Skeleton

_CLASS_TOKEN = 'class'


@dataclass(frozen=True)
class LoadedModel:
    """A model with its weights, in eval mode, and what its joints are.

    Attributes:
        cfg: Its config.
        name: The config's name.
        checkpoint: Where its weights are from.
        given: The keys of the weights that the checkpoint has.
        model: The model.
        joints: The names of the query tokens: K joints, or the one class token of a classifier.
        metainfo: Of the test data, as MMPose parses it; empty for a classifier.
        classes: The names of a classifier's classes, where the checkpoint says them.
    """

    cfg: Config
    name: str
    checkpoint: Path
    given: frozenset[str]
    model: Any
    joints: tuple[str, ...]
    metainfo: dict[str, Any]
    classes: tuple[str, ...] = ()

    @property
    def is_classifier(self) -> bool:
        """Whether it names classes in place of joints."""
        return isinstance(self.model, DistillClassifier)

    @property
    def skeleton(self) -> Skeleton:
        """Limbs and colors of its joints."""
        return Skeleton.from_metainfo(self.metainfo)

    @property
    def neck(self) -> MultiCycledTransformer:
        """The token transformer.

        Raises:
            ConfigError: If the model has none.
        """
        neck = getattr(self.model, 'neck', None)
        if not isinstance(neck, MultiCycledTransformer):
            raise ConfigError(
                f'{self.name} has no tokens to look at: this needs a model with a MultiCycledTransformer as its neck'
            )
        return neck

    def joint(self, name: str) -> int:
        """The number of a joint.

        Raises:
            UserError: If there is none of this name, with those that there are.
        """
        if name not in self.joints:
            raise UserError(f'{name!r} is no joint of {self.name}: choose one of {", ".join(self.joints)}')
        return self.joints.index(name)

    def require_layer(self, layer: int) -> None:
        """Check that the transformer has a layer, counted from 0.

        Raises:
            UserError: If not.
        """
        depth = len(self.neck.layers)
        if not 0 <= layer < depth:
            raise UserError(f'layer {layer}: {self.name} has the layers 0 to {depth - 1}')

    def require_head(self, head: int) -> None:
        """Check that the layers have an attention head, counted from 0.

        Raises:
            UserError: If not.
        """
        heads = self.neck.layers[0].attn.num_heads
        if not 0 <= head < heads:
            raise UserError(f'head {head}: the layers of {self.name} have the heads 0 to {heads - 1}')


@dataclass(frozen=True)
class Crop:
    """What a model sees of a picture.

    Attributes:
        loaded: The model.
        pixels: (h, w, 3), uint8 RGB.
        inputs: The same as the model takes it, (1, 3, h, w).
        sample: MMPose's data sample, or a classifier's.
    """

    loaded: LoadedModel
    pixels: np.ndarray
    inputs: Tensor
    sample: Any

    def run_cycles(self) -> CycleTokens:
        """The tokens of every training cycle, with the trace of every layer, from one pass.

        Raises:
            ConfigError: If the model has no tokens, or its weights lack what the later cycles need.
        """
        loaded, cycles = self.loaded, self.loaded.neck.num_cycles
        if any(key.startswith(CYCLE_ADAPTER) and key not in loaded.given for key in loaded.model.state_dict()):
            raise ConfigError(
                f'{loaded.checkpoint} was published without its cycle adapters, which the cycles behind the first one '
                'need: take the checkpoint of the training'
            )
        with torch.no_grad():
            return extract_features(loaded.model, self.inputs, cycles=cycles, trace='queries')[1]


def load_model(config: str, checkpoint: str, cfg_options: dict[str, Any] | None = None) -> LoadedModel:
    """A model with its trained weights.

    Args:
        config: A config file, or the name of one of the package's configs.
        checkpoint: Path or address of a checkpoint, of a training or published.
        cfg_options: Overrides of the config.

    Raises:
        UserError: If the config or the checkpoint is missing or wrong, or the model's joints are not those of the data.
        MismatchError: If the weights are those of another model.
    """
    cfg = prepare(config, cfg_options=cfg_options)
    check_checkpoint_path(checkpoint)
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu', logger='silent')
    weights = weights_of(content, checkpoint)
    model = filled_model(cfg, weights, checkpoint)
    own = os.path.basename(config).removesuffix('.py'), Path(checkpoint), frozenset(weights), model
    if isinstance(model, DistillClassifier):
        return LoadedModel(cfg, *own, (_CLASS_TOKEN,), {}, labels_of(meta_of(content).get('dataset_meta')))
    metainfo = _metainfo(cfg)
    names = joint_names(metainfo)
    neck = getattr(model, 'neck', None)
    if isinstance(neck, MultiCycledTransformer) and neck.tokenizer.num_queries != len(names):
        raise ConfigError(
            f'{config}: the model has {neck.tokenizer.num_queries} query tokens, but its data have {len(names)} '
            'joints: name the config that goes with the data'
        )
    return LoadedModel(cfg, *own, tuple(names), metainfo)


def crop_picture(
    loaded: LoadedModel, picture: str | os.PathLike | np.ndarray, bbox: Sequence[float] | None = None
) -> Crop:
    """A picture as the config's test pipeline hands it to the model.

    Args:
        loaded: The model.
        picture: A file, or an array (H, W, 3) of 8 bits in the order blue, green, red.
        bbox: The person, left, top, width and height in pixels as COCO has them; the whole picture by default.

    Raises:
        DataError: If the picture cannot be read, or the box has nothing of it in it.
        ConfigError: If the config has no test pipeline, or the model is a classifier and a box is given.
    """
    dataset = (loaded.cfg.get('test_dataloader') or {}).get('dataset') or {}
    leaf = next((leaf for leaf, _ in iter_leaves(dataset) if leaf.get('pipeline')), None)
    if leaf is None:
        raise ConfigError(f'{loaded.name} has no test_dataloader.dataset.pipeline, which crops pictures')
    info = _class_picture(picture, bbox) if loaded.is_classifier else _person(loaded, picture, bbox)
    with building('test_dataloader.dataset.pipeline'):
        pipeline = Compose(leaf['pipeline'])
    packed = pipeline(info)
    batch = loaded.model.data_preprocessor(pseudo_collate([packed]), False)
    return Crop(loaded, _pixels(packed['inputs'], leaf['pipeline']), batch['inputs'], batch['data_samples'][0])


def _metainfo(cfg: Config) -> dict[str, Any]:
    """The metainfo of the first of a config's test, validation and training data.

    Raises:
        ConfigError: If there is none.
    """
    for split in ('test', 'val', 'train'):
        for leaf, _ in iter_leaves((cfg.get(f'{split}_dataloader') or {}).get('dataset')):
            return load_metainfo(leaf)
    raise ConfigError(f'{cfg.filename} has no data set, so its joints have no names')


def _person(
    loaded: LoadedModel, picture: str | os.PathLike | np.ndarray, bbox: Sequence[float] | None
) -> dict[str, Any]:
    """What a pose pipeline takes; its first step refuses a box that has nothing of the picture in it."""
    pixels = three_channels(picture) if isinstance(picture, np.ndarray) else read_picture(check_source(picture))
    left, top, width, height = bbox if bbox is not None else (0, 0, pixels.shape[1], pixels.shape[0])
    box = np.array([[left, top, left + width, top + height]], np.float32)
    return dict(img=pixels, bbox=box, bbox_score=np.ones(1, np.float32), **loaded.metainfo)


def _class_picture(picture: str | os.PathLike | np.ndarray, bbox: Sequence[float] | None) -> dict[str, Any]:
    """What a pipeline of classification takes."""
    if isinstance(picture, np.ndarray):
        raise DataError('a classifier reads the picture from a file: name one')
    if bbox is not None:
        raise ConfigError('a classifier takes the whole picture: leave the box out')
    return dict(img_path=check_source(picture), gt_label=0)  # the preprocessor asks for a label; nothing reads it


def _pixels(image: Tensor, pipeline: Sequence[dict[str, Any]]) -> np.ndarray:
    """An image (3, h, w) of a pipeline as (h, w, 3), uint8 RGB."""
    if image.dtype == torch.uint8:  # of a pose, blue first
        return np.ascontiguousarray(image.numpy().transpose(1, 2, 0)[..., ::-1])
    return denormalized(image, pipeline)


def denormalized(image: Tensor, pipeline: Sequence[dict[str, Any]]) -> np.ndarray:
    """An image (3, h, w) that a pipeline of classification has normalized as (h, w, 3), uint8 RGB."""
    normalize = next((step for step in pipeline if {'mean', 'std'} <= step.keys()), dict(mean=(0,), std=(1,)))
    pixels = image.numpy().transpose(1, 2, 0) * np.asarray(normalize['std']) + normalize['mean']
    return (255 * pixels).round().clip(0, 255).astype(np.uint8)
