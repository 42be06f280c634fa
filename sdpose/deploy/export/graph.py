"""The deployed pass as one graph: an image in, named tensors out.

Shapes: B batch, K joints, H and W the size of a heatmap, w and h that of the image in pixels, N classes.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmpose.models.heads import HeatmapHead, RegressionHead, RLEHead, SimCCHead
from torch import Tensor, nn

from sdpose.config.nodes import input_size
from sdpose.deploy.optimize import deploy
from sdpose.errors import ConfigError
from sdpose.models.heads import TokenClsHead, TokenRegHead, TokenSimCCHead
from sdpose.models.transformers import MultiCycledTransformer
from sdpose.structures import SIGMAS, CycleTokens, TokenSet

from ..runtime import OUTPUTS, UDP_CODEC
from .decoding import SPLIT, HeatmapDecoder, one_hot

INPUT = 'image'
_LOWEST = 1e-6  # score of a coordinate in SimCC's vectors
STATE = ('tokens', 'position')  # all tokens of a person (B, T, D), and where they are, if some were pruned
NAMES = OUTPUTS  # of the outputs, by kind


class Flip(NamedTuple):
    """How a config averages with the mirror image.

    Attributes:
        enabled: Whether it does.
        indices: Which joint each joint becomes, K of them.
        shift_heatmap: Whether the mirrored heatmap is moved by a cell.
        shift_coords: Whether mirrored coordinates are moved by a pixel.
    """

    enabled: bool
    indices: tuple[int, ...]
    shift_heatmap: bool
    shift_coords: bool


def natural_kind(model: Any) -> str:
    """What a model's head predicts, a key of ``NAMES``.

    Raises:
        ConfigError: If the head is none that can be deployed.
    """
    head = getattr(model, 'head', None)
    kinds: tuple[tuple[type, str], ...] = (
        (TokenClsHead, 'classes'),
        (TokenRegHead, 'coordinates'),
        (RLEHead, 'coordinates'),
        (RegressionHead, 'coordinates'),
        (TokenSimCCHead, 'simcc'),
        (SimCCHead, 'simcc'),
        (HeatmapHead, 'heatmaps'),
    )
    for part, kind in kinds:
        if isinstance(head, part):
            return kind
    raise ConfigError(
        f'model.head: {type(head).__name__ if head is not None else "None"} cannot be deployed; known are heads of '
        f'heatmaps, coordinates, SimCC and classes ({", ".join(part.__name__ for part, _ in kinds)})'
    )


def flip_of(cfg: Config, indices: tuple[int, ...]) -> Flip:
    """The flip test of a config; coordinates of this project's head are never moved."""
    test = cfg.model.get('test_cfg') or {}
    decoder = cfg.model.head.get('decoder') or {}
    moves = decoder.get('type') == 'RegressionLabel' and cfg.model.head.type != 'TokenRegHead'
    return Flip(
        enabled=bool(test.get('flip_test', False)) and bool(indices),
        indices=indices,
        shift_heatmap=bool(test.get('shift_heatmap', False)),
        shift_coords=moves and bool(test.get('shift_coords', True)),
    )


class DeployedGraph(nn.Module):
    """What a file holds: the pass that a prediction needs, from a normalized image to the named outputs.

    Args:
        model: The trained model; it is copied.
        cfg: Its config.
        kind: What comes out, a key of ``NAMES``; ``joints`` and ``simcc`` are decoded inside.
        flip: The flip test of the config.
        inside: Whether it is done inside.
        cycles: How many cycles a program can run; of more than one the graph has its tokens as outputs, too.
        rtmlib: Whether SimCC's vectors that the head itself predicts are for rtmlib; those decoded inside always are.

    Attributes:
        state: The names of these outputs, the last ones: what :class:`FurtherCycle` goes on with.

    Raises:
        ConfigError: If the head cannot be deployed, or does not give such outputs, or there are no such cycles.
    """

    inputs = (INPUT,)

    def __init__(
        self,
        model: Any,
        cfg: Config,
        kind: str,
        flip: Flip,
        inside: bool = False,
        cycles: int = 1,
        rtmlib: bool = False,
    ) -> None:
        super().__init__()
        self.natural = natural_kind(model)
        decoded = kind in ('joints', 'simcc') and self.natural in ('heatmaps', 'coordinates')
        if kind != self.natural and not decoded:
            raise ConfigError(f'--outputs {kind}: {cfg.model.head.type} predicts {self.natural}; leave the option out')
        self.kind, self.size, self.flip = kind, input_size(cfg), flip
        self.state: tuple[str, ...] = _state(model, cycles) if cycles > 1 else ()
        self.model = deploy(model, (self.size[1], self.size[0]), whole=cycles > 1)
        self.inside = inside
        if inside and (self.natural not in ('heatmaps', 'coordinates') or not flip.indices):
            raise ConfigError(f'--flip-test: outputs of {self.natural} are not averaged with the mirror image')
        self.decoder = HeatmapDecoder(cfg.model.head.decoder) if decoded and self.natural == 'heatmaps' else None
        # rtmlib gives a BGR picture, normalized by the numbers of RGB in their order: undone and done again.
        self.swap = kind == 'simcc' and (decoded or rtmlib)
        if self.swap:
            _require_rtmlib(cfg, decoded)
        mean, std = (torch.tensor(list(values)) for values in normalization(cfg))
        if self.swap and self.state:
            raise ConfigError('--outputs simcc is for rtmlib, which runs one file: leave --cycles out')
        # rtmlib unpacks two outputs, so such a file has no others.
        self.beside: tuple[str, ...] = () if self.swap else tuple(getattr(self.model.head, 'reports', ()))
        self.gain: Tensor
        self.shift: Tensor
        self.register_buffer('gain', (std.flip(0) / std)[None, :, None, None])
        self.register_buffer('shift', ((mean.flip(0) - mean) / std)[None, :, None, None])
        self.eval().requires_grad_(False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return (*NAMES[self.kind], *self.beside, *self.state)

    def example(self, batch: int) -> tuple[Tensor, ...]:
        """Inputs of so many images to trace the graph with, as of :meth:`forward`."""
        return (example_images(self.size, batch),)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """The outputs, in the order of :attr:`names`, of a normalized image (B, 3, h, w)."""
        if self.swap:
            image = image.flip(1) * self.gain + self.shift
        if self.inside:
            count = image.shape[0]
            both = self._predict(torch.cat([image, image.flip(3)]))  # 2 B images: the weights stand in the file once
            mirrored = mirror(self.natural, tuple(value[count:] for value in both), self.flip, self.size)
            outputs = tuple((one[:count] + other) * 0.5 for one, other in zip(both, mirrored))
        else:
            outputs = self._predict(image)
        return self.finished(outputs)

    def finished(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The outputs in the order of :attr:`names` of what :meth:`read` found."""
        if self.kind == self.natural:
            return outputs
        first = len(NAMES[self.natural])
        beside, state = dict(zip(self.beside, outputs[first:])), outputs[first + len(self.beside) :]
        if self.decoder is not None:
            joints, scores = self.decoder(outputs[0])
        else:
            joints, scores = outputs[0] * outputs[0].new_tensor(self.size), outputs[1]
        if self.kind == 'simcc':
            if self.decoder is None:  # rtmlib takes a joint of no positive score for none, DistilPose's may have one
                scores = scores.clamp(min=_LOWEST)
            return one_hot(joints, scores, self.size)
        if SIGMAS in beside:
            beside[SIGMAS] = beside[SIGMAS] * joints.new_tensor(self.size)
        return joints, scores, *beside.values(), *state

    def arranged(self, images: np.ndarray) -> np.ndarray:
        """The model's normalized images (B, 3, h, w) as this graph wants them."""
        if not self.swap:
            return images
        return np.ascontiguousarray(((images - self.shift.numpy()) / self.gain.numpy())[:, ::-1])

    def _predict(self, image: Tensor) -> tuple[Tensor, ...]:
        """What the head predicts of an image (B, 3, h, w), what is beside it behind, and the state last."""
        model: Any = self.model
        if type(model.head) is TokenRegHead or self.beside or self.state:
            return self.read(model.extract_feat(image))
        return self._parts(model(image, None, mode='tensor'))

    def read(self, feats: Any) -> tuple[Tensor, ...]:
        """What the head predicts of features, what is beside it behind, and the state last."""
        head: Any = self.model.head
        plain = type(head) is TokenRegHead
        outputs = coordinates(head, head.outputs(feats.output.query)) if plain else self._parts(head.forward(feats))
        beside = head.beside(feats) if self.beside else {}
        state = dict(zip(STATE, (feats.output.sequence, feats.output.position))) if self.state else {}
        return *outputs, *(beside[name] for name in self.beside), *(state[name] for name in self.state)

    def _parts(self, answer: Any) -> tuple[Tensor, ...]:
        """A head's answer as tensors: heatmaps (B, K, H, W), or coordinates and scores, or vectors, or logits."""
        if self.natural == 'simcc':
            return tuple(answer)
        if self.natural != 'coordinates':
            return (answer,)
        if isinstance(self.model.head, TokenRegHead):  # a class derived from it
            return answer.coords, answer.confidence
        coords = answer[..., :2]  # (B, K, 2 or 4)
        if answer.shape[-1] == 4:  # the sigmas of a likelihood
            return coords, 1 - answer[..., 2:].sigmoid().mean(dim=-1)
        return coords, torch.ones_like(coords[..., 0])


class FurtherCycle(nn.Module):
    """One more cycle as a graph: the tokens in, and the outputs out that the first graph has.

    Args:
        first: A graph with a state.
    """

    def __init__(self, first: DeployedGraph) -> None:
        super().__init__()
        self.first, self.names, self.kind = first, first.names, first.kind
        self.inputs = tuple(f'previous_{name}' for name in first.state)
        neck: Any = first.model.neck
        self.neck, self.num_queries = neck, int(neck.tokenizer.num_queries)
        # Of a model that prunes, each image has positions of its own, which are part of the state.
        again = neck.tokenizer.position_per_layer and len(self.inputs) == 1
        self.position: Tensor | None = neck.tokenizer.position if again else None  # (1, T, D)

    def example(self, batch: int) -> tuple[Tensor, ...]:
        """As :meth:`DeployedGraph.example`."""
        with torch.no_grad():
            return self.first(self.first.example(batch)[0])[-len(self.inputs) :]

    def forward(self, tokens: Tensor, position: Tensor | None = None) -> tuple[Tensor, ...]:
        """The outputs, in the order of :attr:`names`, after one more cycle.

        Args:
            tokens: All tokens, (B, T, D).
            position: Their positions, (B, T, D), where tokens were pruned.
        """
        given = TokenSet(tokens, self.num_queries, self.position if position is None else position)
        neck: Any = self.neck
        return self.first.finished(self.first.read(CycleTokens((neck.advance(given),), 0)))


def _require_rtmlib(cfg: Config, decoded: bool) -> None:
    """Refuse a codec by which rtmlib does not crop or read.

    Raises:
        ConfigError: Naming it and what to do.
    """
    codec = cfg.model.head.decoder
    if decoded and codec.get('type') == UDP_CODEC:
        raise ConfigError('--outputs simcc: rtmlib does not crop by the rule of UDP; choose --outputs joints')
    if not decoded and (ratio := codec.get('simcc_split_ratio', SPLIT)) != SPLIT:
        raise ConfigError(
            f'--outputs simcc: rtmlib takes {SPLIT} cells per pixel for granted, model.head.decoder.simcc_split_ratio '
            f'is {ratio}; leave the option out'
        )


AnyGraph = DeployedGraph | FurtherCycle


def _state(model: Any, cycles: int) -> tuple[str, ...]:
    """What a further cycle of a model needs of the one before, names of ``STATE``.

    Raises:
        ConfigError: If the model has no such cycles, or they are not all alike.
    """
    neck = getattr(model, 'neck', None)
    most = getattr(neck, 'num_cycles', 1)
    if cycles > most or type(neck) is not MultiCycledTransformer:
        raise ConfigError(f'--cycles {cycles}: the model was trained with {most}')
    if neck.test_cycles > 1:
        raise ConfigError(f'--cycles {cycles}: model.neck.test_cycles={neck.test_cycles} are deployed as one pass')
    pruner = neck.pruner
    if neck.cycle_adapter is not None:
        raise ConfigError(f'--cycles {cycles}: with model.neck.cycle_adapter each cycle is another: export one')
    if pruner is not None and any(pruner.prunes_in(cycle) for cycle in range(2, cycles + 1)):
        raise ConfigError(f'--cycles {cycles}: the model prunes in later cycles, too, so each is another: export one')
    return STATE if pruner is not None and neck.tokenizer.position_per_layer else STATE[:1]


def example_images(size: tuple[int, int], batch: int) -> Tensor:
    """Images (B, 3, h, w) to trace a graph with.

    Args:
        size: (w, h) of an image.
        batch: B.
    """
    return torch.rand(batch, 3, size[1], size[0], generator=torch.Generator().manual_seed(0))


def coordinates(head: TokenRegHead, raw: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates (B, K, 2) and scores (B, K) of raw outputs (B, K, X), as the head activates them.

    In slices: the head's split has parts of no width, which ncnn refuses.
    """
    coords = raw[..., :2]
    if head.mode.likelihood:
        return coords, 1 - raw[..., 2:].sigmoid().mean(dim=-1)
    return coords.sigmoid(), raw[..., 2] if head.mode.has_score else torch.ones_like(coords[..., 0])


def mirror(kind: str, outputs: tuple[Tensor, ...], flip: Flip, size: tuple[int, int]) -> tuple[Tensor, ...]:
    """What a mirrored image's outputs say about the image: left and right exchanged, in places and in names.

    Args:
        kind: ``heatmaps``, (B, K, H, W), ``coordinates``, (B, K, 2) and (B, K), or ``simcc``, (B, K, X) and (B, K, Y);
            values of joints (B, K, ...) may follow.
        outputs: Those of the mirrored image.
        flip: The flip test of the config.
        size: (w, h) of the image.
    """
    order = torch.tensor(flip.indices, device=outputs[0].device)
    if kind == 'heatmaps':
        maps, *beside = (value.index_select(1, order) for value in outputs)
        maps = maps.flip(3)
        return torch.cat([maps[..., :1], maps[..., :-1]], dim=-1) if flip.shift_heatmap else maps, *beside
    if kind == 'simcc':
        columns, *rows = (value.index_select(1, order) for value in outputs)
        return columns.flip(2), *rows
    coords, *beside = (value.index_select(1, order) for value in outputs)
    x = 1 - coords[..., :1] - (1 / size[0] if flip.shift_coords else 0)
    return torch.cat([x, coords[..., 1:]], dim=-1), *beside


def normalization(cfg: Config) -> tuple[list[float], list[float]]:
    """Mean and deviation of the model's input, in the numbers of a picture of 0 to 255."""
    preprocessor = cfg.model.get('data_preprocessor') or {}
    if preprocessor.get('mean') is not None:
        return [*map(float, preprocessor['mean'])], [*map(float, preprocessor['std'])]
    for loader in ('test_dataloader', 'val_dataloader'):  # of a classifier, whose pipeline normalizes
        for step in ((cfg.get(loader) or {}).get('dataset') or {}).get('pipeline') or ():
            if step.get('type') == 'torchvision/Normalize':
                return [255 * value for value in step['mean']], [255 * value for value in step['std']]
    return [0.0] * 3, [1.0] * 3
