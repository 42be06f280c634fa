"""The deployed pass of a token transformer: what the head does not read is not computed.

Shapes: B batch, K query tokens, P visual tokens, T = K + P tokens, D width, h heads, d = D / h.
Of a single image, heads may stand without the batch axis: "(B,) h" is (B, h), or (h) alone.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdpose.errors import ConfigError
from sdpose.models.pruners import FusingPruner, TokenPruner
from sdpose.models.transformers import FastLinear, MultiCycledTransformer, SelfAttention, TransformerLayer
from sdpose.structures import Attended, CycleTokens, TokenSet


def is_plain(layer: nn.Module) -> bool:
    """Whether a layer is this project's own with its own attention, so that its arithmetic is known."""
    return type(layer) is TransformerLayer and type(layer.attn) is SelfAttention


class SinglePass(nn.Module):
    """A :class:`MultiCycledTransformer` in eval mode, with the same query tokens after the deployed cycle.

    The last layer computes the query tokens alone: behind it the visual tokens are read by nobody, so a pruner of this
    project is left out there. The scale of the attention scores stands in the weights of the queries. Tensors have
    at most four dimensions. A layer with an attention of a user's own is run as it is.

    Args:
        neck: The transformer; its parts are taken over.
        open_attention: Compute softmax weights openly everywhere, for graphs that know no fused attention.
        whole: Compute the visual tokens of the last layer, too, from which :meth:`advance` goes on.
    """

    def __init__(self, neck: MultiCycledTransformer, open_attention: bool = False, whole: bool = False) -> None:
        super().__init__()
        self.tokenizer = neck.tokenizer
        self.pruner = neck.pruner
        # What a caller that predicts every cycle asks for; the others are gone.
        self.num_cycles = self.test_cycles = 1
        self.cycles = neck.test_cycles
        layers = [PlainLayer(layer, open_attention) if is_plain(layer) else layer for layer in neck.layers]
        self.layers = nn.ModuleList(layers)
        self.depth = len(layers)
        last = self.depth - 1
        applies = self.pruner is not None and self.pruner.applies(last, self.cycles)
        known = not applies or type(self.pruner) in (TokenPruner, FusingPruner)
        shortened = is_plain(neck.layers[-1]) and known and not whole
        self.last = QueryLayer(neck.layers[-1], open_attention) if shortened else None
        if self.last is not None and self.cycles == 1:
            del self.layers[last]

    def forward(self, feats: Sequence[Tensor], cycles: int | None = None) -> CycleTokens:
        """The query tokens (B, K, D) of the deployed cycle, or all of them, as the only token set.

        Args:
            feats: The backbone's feature maps, or the image in a 1-tuple; the last one, (B, C, H, W), is read.
            cycles: None, or 1, the one that there is.

        Raises:
            ConfigError: If another number of cycles is asked for.
        """
        if cycles not in (None, 1):
            raise ConfigError(f'an optimized model runs its deployed cycle alone, {cycles} were asked for')
        tokens = self.tokenizer(feats[-1])
        for cycle in range(1, self.cycles + 1):
            last = self.last if cycle == self.cycles else None
            for index in range(self.depth if last is None else self.depth - 1):
                tokens = self._run_layer(tokens, index, cycle)
            if last is not None:
                tokens = tokens.add_position() if self.depth > 1 else tokens
                tokens = TokenSet(last(tokens.sequence, tokens.num_queries), tokens.num_queries)
        return CycleTokens((tokens,), 0)

    def advance(self, tokens: TokenSet) -> TokenSet:
        """All tokens after one more cycle, of those of a ``whole`` pass, where its weights are those of all cycles."""
        for index in range(self.depth):
            tokens = self._run_layer(tokens, index, self.cycles + 1)
        return tokens

    def _run_layer(self, tokens: TokenSet, index: int, cycle: int) -> TokenSet:
        """One whole layer, as in :meth:`MultiCycledTransformer.run_cycle`."""
        layer: Any = self.layers[index]
        tokens = tokens.add_position() if index else tokens
        pruner = self.pruner if self.pruner is not None and self.pruner.applies(index, cycle) else None
        x, attended = layer.attend(tokens.sequence, 0 if pruner is None else pruner.num_rows(tokens))
        tokens = tokens._replace(sequence=x)
        if pruner is not None:
            tokens = pruner(tokens, attended)
        return tokens._replace(sequence=layer.feed(tokens.sequence))


class PlainLayer(nn.Module):
    """A :class:`TransformerLayer` in eval mode.

    Args:
        layer: The layer; its norms and feed-forward are taken over.
        open_attention: As for :class:`SinglePass`.

    Attributes:
        alone: Whether B is 1 and the heads stand without the batch axis.
    """

    def __init__(self, layer: Any, open_attention: bool = False) -> None:
        super().__init__()
        self.num_heads, self.open, self.alone = layer.attn.num_heads, open_attention, False
        self.norm1, self.norm2, self.ffn, self.proj = layer.norm1, layer.norm2, layer.ffn, layer.attn.proj
        self.qkv = _scaled(layer.attn)

    def attend(self, x: Tensor, num_rows: int = 0) -> tuple[Tensor, Attended]:
        """The attention half, as :meth:`TransformerLayer.attend`."""
        parts = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.num_heads, self.alone) for part in parts)
        read, weights = attention(q, k, v, q.shape[-2] if self.open else num_rows)
        update = self.proj(merge_heads(read, self.alone))
        return x + update, Attended(update, weights, k)

    def feed(self, x: Tensor) -> Tensor:
        """The feed-forward half, (B, T, D)."""
        return x + self.ffn(self.norm2(x))


class QueryLayer(nn.Module):
    """The last layer for the query tokens alone: every token is a key and a value, but only K of them ask.

    Args:
        layer: A plain :class:`TransformerLayer`; its norms and feed-forward are taken over.
        open_attention: As for :class:`SinglePass`.

    Attributes:
        alone: As of :class:`PlainLayer`.
    """

    def __init__(self, layer: Any, open_attention: bool = False) -> None:
        super().__init__()
        self.num_heads, self.open, self.alone = layer.attn.num_heads, open_attention, False
        self.norm1, self.norm2, self.ffn, self.proj = layer.norm1, layer.norm2, layer.ffn, layer.attn.proj
        whole = _scaled(layer.attn)
        dim = whole.in_features
        self.query, self.key_value = _rows(whole, 0, dim), _rows(whole, dim, 3 * dim)

    def forward(self, x: Tensor, num_queries: int) -> Tensor:
        """The query tokens (B, K, D) behind the layer, of all tokens (B, T, D)."""
        normed, query = self.norm1(x), x[:, :num_queries]
        q = split_heads(self.query(normed[:, :num_queries]), self.num_heads, self.alone)  # ((B,) h, K, d)
        parts = self.key_value(normed).chunk(2, dim=-1)
        k, v = (split_heads(part, self.num_heads, self.alone) for part in parts)
        read, _ = attention(q, k, v, q.shape[-2] if self.open else 0)
        query = query + self.proj(merge_heads(read, self.alone))
        return query + self.ffn(self.norm2(query))


def attention(q: Tensor, k: Tensor, v: Tensor, num_rows: int) -> tuple[Tensor, Tensor | None]:
    """``softmax(q k^T) v``, and the weights of the first rows.

    Args:
        q: Queries that hold the scale, ((B,) h, Q, d).
        k: Keys, ((B,) h, T, d).
        v: Values, ((B,) h, T, d).
        num_rows: R, for how many leading queries the weights are computed openly.

    Returns:
        What was read, ((B,) h, Q, d), and the weights ((B,) h, R, T), or None for no rows.
    """
    weights, parts = None, []
    if num_rows:
        weights = (q[..., :num_rows, :] @ k.transpose(-2, -1)).softmax(dim=-1)  # ((B,) h, R, T)
        parts.append(weights @ v)
    if num_rows < q.shape[-2]:
        parts.append(F.scaled_dot_product_attention(q[..., num_rows:, :], k, v, scale=1.0))
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-2), weights


def split_heads(x: Tensor, num_heads: int, alone: bool = False) -> Tensor:
    """(B, T, D) -> (B, h, T, d); of a single image (1, T, D) -> (h, T, d) if ``alone``."""
    if alone:
        return x.reshape(-1, num_heads, x.shape[-1] // num_heads).transpose(0, 1)  # (T, h, d) -> (h, T, d)
    return x.unflatten(-1, (num_heads, x.shape[-1] // num_heads)).transpose(1, 2)  # (B, T, h, d) -> (B, h, T, d)


def merge_heads(x: Tensor, alone: bool = False) -> Tensor:
    """(B, h, T, d) -> (B, T, D); (h, T, d) -> (1, T, D) if ``alone``."""
    if alone:
        return x.transpose(0, 1).reshape(1, x.shape[1], -1)  # (T, h, d) -> (1, T, D)
    return x.transpose(1, 2).flatten(2)  # (B, T, h, d) -> (B, T, h * d)


def _scaled(attn: Any) -> nn.Linear:
    """The projection to queries, keys and values, with the scale of the scores in the rows of the queries."""
    linear, dim = attn.qkv, attn.qkv.in_features
    factor = torch.ones(3 * dim, dtype=linear.weight.dtype, device=linear.weight.device)
    factor[:dim] = attn.scale
    return _linear(linear.weight * factor[:, None], None if linear.bias is None else linear.bias * factor)


def _rows(linear: nn.Linear, start: int, end: int) -> nn.Linear:
    """The outputs ``start`` to ``end`` of a linear, as one."""
    return _linear(linear.weight[start:end], None if linear.bias is None else linear.bias[start:end])


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """A linear of its weight (out, in) and bias (out,)."""
    linear = FastLinear(weight.shape[1], weight.shape[0], bias=bias is not None, device='meta')
    linear.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias.detach().clone(), requires_grad=False)
    return linear
