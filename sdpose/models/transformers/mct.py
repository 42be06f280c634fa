"""The Multi-Cycled Transformer: one stack of layers, run several times over its own output (SDPose, section 3.2).

Shapes: B batch, C channels, K query tokens, P visual tokens, D width, h heads, L layers.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmengine.model import BaseModule, ModuleList
from mmpose.registry import MODELS
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from sdpose.models.cycle_adapters import CycleAdapters
from sdpose.models.pruners import BasePruner
from sdpose.structures import CycleTokens, LayerTrace, TokenSet

from .layer import TransformerLayer
from .tokenizer import Tokenizer

# Packages whose modules, of those that a neck is made of, draw nothing by chance; mmcv's DropPath does.
_DRAWS_NOTHING = ('sdpose', 'torch', 'mmengine')


@MODELS.register_module()
class MultiCycledTransformer(BaseModule):
    """Token transformer of TokenPose (one cycle) and SDPose (several), as a neck.

    In training it runs ``num_cycles`` cycles, so that every cycle can be supervised and each can teach the one before
    it. In eval mode it runs exactly ``test_cycles``, so that an SDPose costs what its TokenPose costs.

    Args:
        in_channels: Channels of the backbone's last feature map, or 3 if the image itself is cut into patches.
        feature_size: (w, h) of that map.
        patch_size: (w, h) of a patch on that map.
        num_queries: Number of query tokens: the keypoints, or one class token.
        dim: Width of a token.
        depth: Number of layers L.
        num_heads: Number of attention heads.
        mlp_ratio: Hidden width of the feed-forward half over ``dim``.
        position: Position mode, see :class:`Tokenizer`.
        num_cycles: Cycles in training.
        test_cycles: Cycles in eval mode; the last of them is the deployed one.
        pruner: Config of a :class:`BasePruner`, which sits between the halves of a layer; None for all tokens in all
            layers.
        qkv_bias: Whether the query/key/value projections have a bias.
        attention_scale: Factor of the attention scores, ``None`` for ``(dim / num_heads) ** -0.5``.
        norm_eps: Added to the variance by the layers' norms.
        drop_path: Stochastic depth of the last layer; it grows linearly from 0 in the first, and is drawn anew in
            each cycle.
        attention: Config of the layers' attention, see :class:`TransformerLayer`.
        checkpoint_cycles: Keep of a cycle, in training, its tokens alone, and compute the rest again in the backward
            pass: a third more work in a fraction of the memory, the same numbers.
        compile_cycles: Run the cycles through ``torch.compile`` in training.
        gradient_cycles: Of a step that runs many cycles, the last so many and the first carry gradients; those between
            are run without and learn nothing, as in Huginn (arXiv:2502.05171), which spares their memory and
            backward pass. There the first ones are left out: here the first one is deployed, so it learns from its own
            losses, and what the last ones learn does not reach it. None: all carry gradients.
        cycle_adapter: Config of a :class:`CycleAdapter`, or of several, with parameters of their own for every cycle
            from the second on; the first one, which is deployed, stays as it is.
        init_cfg: Initialization; by default every linear from a truncated normal of std 0.02.

    Attributes:
        training_cycles: How many cycles a training step runs; hooks set it to less than ``num_cycles``.

    Raises:
        ValueError: If a size does not fit, ``test_cycles`` is not in 1..``num_cycles``, ``gradient_cycles`` leaves no
            cycle out, or a deployed one, or the pruner is none, or names only layers, or cycles, that are not there.
    """

    def __init__(
        self,
        in_channels: int,
        feature_size: tuple[int, int],
        patch_size: tuple[int, int],
        num_queries: int,
        dim: int = 192,
        depth: int = 12,
        num_heads: int = 8,
        mlp_ratio: float = 3,
        position: str = 'sine-full',
        num_cycles: int = 1,
        test_cycles: int = 1,
        pruner: dict | None = None,
        qkv_bias: bool = False,
        attention_scale: float | None = None,
        norm_eps: float = 1e-5,
        drop_path: float = 0.0,
        attention: dict | None = None,
        checkpoint_cycles: bool = False,
        compile_cycles: bool = False,
        gradient_cycles: int | None = None,
        cycle_adapter: dict | list | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='TruncNormal', layer='Linear', std=0.02, bias=0))
        if depth < 1:  # an empty stack hands the tokens on
            raise ValueError(f'a transformer needs at least one layer, got depth={depth}')
        sizes = dict(in_channels=in_channels, dim=dim, mlp_ratio=mlp_ratio, norm_eps=norm_eps)
        for name, value in {**sizes, 'attention_scale': 1 if attention_scale is None else attention_scale}.items():
            if not 0 < value < math.inf:  # sizes fail inside torch, a scale of 0 attends alike
                raise ValueError(f'{name} must be positive, got {value}')
        if num_cycles < 1:  # no output, and an IndexError
            raise ValueError(f'num_cycles must be at least 1, got {num_cycles}')
        if not 1 <= test_cycles <= num_cycles:
            raise ValueError(
                f'test_cycles={test_cycles} must lie between 1 and num_cycles={num_cycles}: '
                'a cycle that was never trained cannot be deployed'
            )
        self.checkpoint_cycles, self.compile_cycles = checkpoint_cycles, compile_cycles
        self._compiled: Callable[..., TokenSet] | None = None
        self.num_cycles = self.training_cycles = num_cycles
        self.test_cycles = test_cycles
        _check_gradient_cycles(gradient_cycles, num_cycles, test_cycles)
        self.gradient_cycles = gradient_cycles
        self.tokenizer = Tokenizer(in_channels, feature_size, patch_size, num_queries, dim, position)
        self.pruner: BasePruner | None = MODELS.build(pruner) if pruner else None
        if self.pruner is not None:
            if not isinstance(self.pruner, BasePruner):  # it would fail for three missing members in turn
                raise ValueError(f'model.neck.pruner: {type(self.pruner).__name__} is not derived from BasePruner')
            self.pruner.require_use(depth, num_cycles)
        shared = (dim, num_heads, mlp_ratio, qkv_bias, attention_scale, norm_eps)
        self.layers = ModuleList(
            TransformerLayer(*shared, drop_path * index / max(depth - 1, 1), attention) for index in range(depth)
        )
        self.cycle_adapter = CycleAdapters.of(cycle_adapter, self.layers, num_cycles, test_cycles, self.pruner)

    def forward(
        self,
        feats: Sequence[Tensor],
        cycles: int | None = None,
        trace: str | None = None,
        scores: Sequence[Tensor] | None = None,
    ) -> CycleTokens:
        """Run the cycles on the last feature map (B, C, H, W).

        Args:
            feats: The backbone's feature maps, or the image in a 1-tuple; the last one is read.
            cycles: How many to run; by default ``training_cycles`` in training and ``test_cycles`` in eval mode. A
                caller that compares cycles asks for all of them.
            trace: Also return what happened in every layer and cycle, with the attention of the ``'queries'`` or of
                ``'all'`` tokens.
            scores: For each layer, what every patch is worth, (B, P), in place of the pruner's own scores.

        Returns:
            One token set per cycle that was run.
        """
        if cycles is None:
            cycles = self.training_cycles if self.training else self.test_cycles
        tokens = start = self.tokenizer(feats[-1])
        fixed = self._without_gradient(cycles)
        if self.cycle_adapter is not None and self.training and (cycles < self.num_cycles or fixed):
            tokens = start = self.cycle_adapter.touched(start)
        sets: list[TokenSet] = []
        for cycle in range(cycles):
            with torch.set_grad_enabled(torch.is_grad_enabled() and cycle not in fixed):
                if cycle and self.cycle_adapter is not None:
                    tokens = self.cycle_adapter.enter(tokens, start, cycle + 1)
                tokens = self._run(tokens, cycle + 1, trace, scores)
            sets.append(tokens)
        return CycleTokens(tuple(sets), self.test_cycles - 1, self.num_cycles if self.training else 1, fixed)

    def _without_gradient(self, cycles: int) -> range:
        """The 0-based cycles, of so many that are run, that carry no gradient."""
        if not self.training or self.gradient_cycles is None:
            return range(0)
        return range(1, max(cycles - self.gradient_cycles, 1))

    def _run(self, tokens: TokenSet, *options: Any) -> TokenSet:
        """:meth:`run_cycle`, compiled and checkpointed where it is trained and that is asked for."""
        if not (self.training and torch.is_grad_enabled()):
            return self.run_cycle(tokens, *options)
        run = self.run_cycle
        if self.compile_cycles:
            run = self._compiled = self._compiled or torch.compile(run)
        for layer in self.layers:
            layer.recompute = not self.checkpoint_cycles  # which keeps nothing of a layer
        if not self.checkpoint_cycles:
            return run(tokens, *options)
        return checkpoint(run, tokens, *options, use_reentrant=False, preserve_rng_state=self._may_draw())

    def _may_draw(self) -> bool:
        """Whether a cycle may draw by chance: with stochastic depth, or with a part that is none of this package.

        What is computed again would draw otherwise, and the gradients be those of another pass. Where nothing draws,
        the state of the generators, one of which lies on the device, is not copied.
        """
        return any(type(part).__module__.partition('.')[0] not in _DRAWS_NOTHING for part in self.modules())

    def __getstate__(self) -> dict[str, Any]:
        """What a copy gets: not the compiled cycles, which have this model's weights."""
        return {**super().__getstate__(), '_compiled': None}

    def run_cycle(
        self, tokens: TokenSet, cycle: int = 1, trace: str | None = None, scores: Sequence[Tensor] | None = None
    ) -> TokenSet:
        """One pass of the whole stack over ``tokens``; ``cycle`` counts from 1, ``trace`` and ``scores`` as above.

        The first layer of a cycle never adds the position embedding: in cycle 1 the tokenizer has added it, in the
        later ones the released model leaves it out.
        """
        traced = []
        for index, layer in enumerate(self.layers):
            if index:
                tokens = tokens.add_position()
            if cycle > 1 and self.cycle_adapter is not None:
                layer = self.cycle_adapter.layer(layer, index, cycle)
            pruner = self.pruner if self.pruner is not None and self.pruner.applies(index, cycle) else None
            x, attended = layer.attend(tokens.sequence, _num_rows(tokens, pruner, trace))
            before, tokens = tokens.kept, tokens._replace(sequence=x)
            if pruner is not None:
                tokens = pruner(tokens, attended, None if scores is None else scores[index])
            tokens = tokens._replace(sequence=layer.feed(tokens.sequence))
            if trace:
                traced.append(LayerTrace(tokens.query, attended.weights, before))
        return tokens._replace(trace=tuple(traced) if trace else None)


def _num_rows(tokens: TokenSet, pruner: BasePruner | None, trace: str | None) -> int:
    """Of how many leading tokens a layer's softmax weights are read."""
    traced = {None: 0, 'queries': tokens.num_queries, 'all': tokens.sequence.shape[1]}[trace]
    return max(traced, pruner.num_rows(tokens) if pruner is not None else 0)


def _check_gradient_cycles(gradient_cycles: int | None, num_cycles: int, test_cycles: int) -> None:
    """Refuse a number of last cycles with gradient that leaves none out, or a deployed one."""
    if gradient_cycles is None:
        return
    if num_cycles < 3:
        raise ValueError(
            f'gradient_cycles={gradient_cycles} leaves out cycles between the first and the last, but num_cycles='
            f'{num_cycles} has none: set num_cycles to 3 or more, or gradient_cycles to None'
        )
    if not (1 <= gradient_cycles < num_cycles - 1 and test_cycles == 1):
        raise ValueError(
            f'gradient_cycles={gradient_cycles} leaves out the cycles between the first one and the last so many: '
            f'it must lie between 1 and num_cycles - 2 = {num_cycles - 2}, and test_cycles={test_cycles} be 1'
        )
