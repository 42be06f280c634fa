"""Values that flow between the parts: the tokens of one cycle, and of all cycles; samples and their targets.

Shapes: B batch, K query (keypoint) tokens, P visual tokens (patches), D width, h heads, N classes.
"""

from typing import NamedTuple

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

# What may be predicted of joints beside places and scores, as fields of MMPose's instances, keys of result files and
# names of exported outputs: the probability that each can be seen, (K,), and the size of its error in x and y, (K, 2).
VISIBILITY, SIGMAS = 'keypoint_visibility', 'keypoint_sigmas'


class HeatmapPlan(NamedTuple):
    """How target heatmaps are drawn of joints that a sample ships in their place.

    Attributes:
        size: (w, h) of a heatmap in pixels.
        sigma: Standard deviation of a joint's Gaussian in these pixels.
        unbiased: Whether the Gaussian sits where the joint is, over the whole heatmap (DARK, arXiv:1910.06278); else it
            sits on a whole pixel and ends at three sigma.
    """

    size: tuple[int, int]
    sigma: float
    unbiased: bool


class Attended(NamedTuple):
    """What the attention of one layer computed; its keys and weights are what pruners choose by.

    Attributes:
        update: What the tokens read, to be added to them, (B, K + P, D).
        weights: The softmax weights of the first R tokens, (B, h, R, K + P); None if none were asked for.
        keys: (B, h, K + P, D / h).
    """

    update: Tensor
    weights: Tensor | None
    keys: Tensor


class LayerTrace(NamedTuple):
    """What happened in one layer.

    Attributes:
        query: The query tokens behind the layer, (B, K, D).
        attention: Softmax weights in it: of the query tokens, (B, h, K, K + P), or of all tokens.
        kept: Indices, in the full row-major patch grid, of the P patches that they could attend to, (B, P); None if no
            patch had been pruned before.
    """

    query: Tensor
    attention: Tensor
    kept: Tensor | None = None

    @property
    def query_attention(self) -> Tensor:
        """The weights of the query tokens, (B, h, K, K + P)."""
        return self.attention[:, :, : self.query.shape[1]]


class TokenSet(NamedTuple):
    """The tokens after one pass through the transformer (or before the first one).

    Attributes:
        sequence: All tokens, the K query tokens first, (B, K + P, D). It is the residual stream itself: no norm
            follows the last layer, a head brings its own.
        num_queries: K.
        position: The embedding that each layer but the first adds again, (1 or B, K + P, D), zero in the query rows;
            None if it is added once only.
        kept: Indices of the surviving patches in the full row-major patch grid, (B, P); None if none was pruned.
        num_position_adds: How often layers have added ``position`` since the tokenizer, over all cycles so far.
        trace: What happened in every layer; None unless it was asked for.
    """

    sequence: Tensor
    num_queries: int
    position: Tensor | None = None
    kept: Tensor | None = None
    num_position_adds: int = 0
    trace: tuple[LayerTrace, ...] | None = None

    @property
    def query(self) -> Tensor:
        """The tokens that a head reads, (B, K, D)."""
        return self.sequence[:, : self.num_queries]

    @property
    def visual(self) -> Tensor:
        """The tokens of the image patches, (B, P, D)."""
        return self.sequence[:, self.num_queries :]

    @property
    def visual_content(self) -> Tensor:
        """``visual`` less what layers have added to it, (B, P, D): ``visual - num_position_adds * position``.

        What stays of the position is the embedding that the tokenizer added, once, and what the layers made of it.
        """
        if self.position is None:
            return self.visual
        return self.visual - self.num_position_adds * self.position[:, self.num_queries :]

    def add_position(self) -> 'TokenSet':
        """The tokens that the next layer sees: with ``position`` added once more, where there is one."""
        if self.position is None:
            return self
        return self._replace(sequence=self.sequence + self.position, num_position_adds=self.num_position_adds + 1)

    def rows(self, index: Tensor | slice) -> 'TokenSet':
        """The tokens of some of the images, by their places in the batch (n,) or a stretch, without a trace."""
        position = self.position
        if position is not None and len(position) > 1:  # one for each image where tokens were pruned
            position = position[index]
        kept = None if self.kept is None else self.kept[index]
        return self._replace(sequence=self.sequence[index], position=position, kept=kept, trace=None)

    def select(self, index: Tensor) -> 'TokenSet':
        """The query tokens and some of the visual tokens, with their position and their places in the full grid.

        Args:
            index: Which visual tokens, and in which order, (B, n), counted among those that are there.
        """
        position = self.position
        if position is not None:
            # B of the sequence: of an index that was ranked, exporters take it for a constant.
            position = position.expand(self.sequence.shape[0], -1, -1)  # (1 or B, K + P, D) -> (B, K + P, D)
            position = _behind_queries(position, index, self.num_queries)  # (B, K + n, D)
        return self._replace(
            sequence=_behind_queries(self.sequence, index, self.num_queries),
            position=position,
            kept=index if self.kept is None else self.kept.gather(1, index),  # (B, n)
        )


def _behind_queries(sequence: Tensor, index: Tensor, count: int) -> Tensor:
    """The first ``count`` rows and those at ``index`` behind them, (B, count + n, D)."""
    wide = index[..., None].expand(-1, -1, sequence.shape[-1])  # (B, n, D)
    chosen = sequence[:, count:].gather(1, wide)  # (B, n, D)
    return torch.cat([sequence[:, :count], chosen], dim=1)


class CycleTokens(NamedTuple):
    """The tokens after each cycle that was run.

    Attributes:
        cycles: One :class:`TokenSet` per cycle, first cycle first.
        deployed: The 0-based cycle whose prediction is the model's output at inference.
        most: How many cycles a training step runs at most, where it may run fewer.
        fixed: The 0-based cycles that were run without gradient, and have no loss.
    """

    cycles: tuple[TokenSet, ...]
    deployed: int
    most: int = 1
    fixed: range = range(0)

    @property
    def output(self) -> TokenSet:
        """The tokens of the deployed cycle."""
        return self.cycles[self.deployed]


class ClassSample(BaseDataElement):
    """What is known about one image of a class; the counterpart of MMPose's ``PoseDataSample``.

    Attributes:
        gt_label: Index of the class, an int64 scalar.
        gt_score: The training target, the probability of each class (N,); two classes share it in a mixed image.
        pred_score: The predicted probability of each class (N,).
    """
