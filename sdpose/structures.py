"""Values that flow between the parts: the tokens of one cycle, and of all cycles; a sample of classification.

Shapes: B batch, K query (keypoint) tokens, P visual tokens (patches), D width, h heads, N classes.
"""

from typing import NamedTuple

from mmengine.structures import BaseDataElement
from torch import Tensor


class LayerTrace(NamedTuple):
    """What the query tokens did in one layer.

    Attributes:
        query: the query tokens behind the layer, (B, K, D).
        rows: their softmax attention in it, (B, h, K, K + P).
        kept: indices, in the full row-major patch grid, of the P patches that they could attend to, (B, P); None if no
            patch had been pruned before.
    """

    query: Tensor
    rows: Tensor
    kept: Tensor | None = None


class TokenSet(NamedTuple):
    """The tokens after one pass through the transformer (or before the first one).

    Attributes:
        sequence: all tokens, the K query tokens first, (B, K + P, D). It is the residual stream itself: no norm
            follows the last layer, a head brings its own.
        num_queries: K.
        position: the code that each layer but the first adds again, (1 or B, K + P, D), zero in the query rows;
            None if the code is added once only.
        kept: indices of the surviving patches in the full row-major patch grid, (B, P); None if none was pruned.
        attention: the softmax map of every layer, each (B, h, K + P, K + P); None unless it was asked for.
        readded: how often layers have added ``position`` again since the tokenizer, over all cycles so far.
        trace: what the query tokens did in every layer; None unless it was asked for.
    """

    sequence: Tensor
    num_queries: int
    position: Tensor | None = None
    kept: Tensor | None = None
    attention: tuple[Tensor, ...] | None = None
    readded: int = 0
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
        """``visual`` without the codes that layers have added again, (B, P, D): ``visual - readded * position``.

        What stays of the position is the code that the tokenizer added, once, and what the layers made of it.
        """
        if self.position is None:
            return self.visual
        return self.visual - self.readded * self.position[:, self.num_queries :]


class CycleTokens(NamedTuple):
    """The tokens after each cycle that was run.

    Attributes:
        cycles: one :class:`TokenSet` per cycle, first cycle first.
        deployed: the 0-based cycle whose prediction is the model's output at inference.
    """

    cycles: tuple[TokenSet, ...]
    deployed: int

    @property
    def output(self) -> TokenSet:
        """The tokens of the deployed cycle."""
        return self.cycles[self.deployed]


class ClassSample(BaseDataElement):
    """What is known about one image of a class; the counterpart of MMPose's ``PoseDataSample``.

    Attributes:
        gt_label: index of the class, an int64 scalar.
        gt_score: the training target, the probability of each class (N,); two classes share it in a mixed image.
        pred_score: the predicted probability of each class (N,).
    """
