"""Linears by oneDNN: values and gradients of torch's own, and when they are taken."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from sdpose.models.transformers import FastLinear, SelfAttention, linear


@pytest.fixture(autouse=True)
def products(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """On any processor as on one whose own products are slow; the shapes of inputs that oneDNN multiplied."""
    if not torch.backends.mkldnn.is_available():
        pytest.skip('this torch was built without oneDNN')
    seen: list[tuple[int, ...]] = []
    original = linear._product

    def counted(x: Tensor, *args: Any) -> Tensor:
        seen.append(tuple(x.shape))
        return original(x, *args)

    monkeypatch.setattr(linear, 'has_slow_products', lambda: True)
    monkeypatch.setattr(linear, '_product', counted)
    return seen


def _pair(bias: bool) -> tuple[FastLinear, nn.Linear]:
    torch.manual_seed(0)
    fast, plain = FastLinear(24, 40, bias=bias), nn.Linear(24, 40, bias=bias)
    plain.load_state_dict(fast.state_dict())
    return fast, plain


@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('shape', [(4, 30, 24), (70, 24), (2, 5, 8, 24)])
def test_values_and_gradients_are_torchs(products: list, shape: tuple[int, ...], bias: bool) -> None:
    fast, plain = _pair(bias)
    x = torch.randn(shape)
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    outputs = [layer(one) for layer, one in zip((fast, plain), inputs)]
    weights = torch.randn_like(outputs[0])
    for out in outputs:
        (out * weights).sum().backward()
    assert len(products) == 3  # forwards, and those of input and weight
    torch.testing.assert_close(*outputs, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad, rtol=1e-5, atol=1e-5)
    for one, other in zip(fast.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-5, atol=1e-4)


def test_what_needs_no_gradient_gets_none(products: list) -> None:
    fast, _ = _pair(True)
    fast.requires_grad_(False)
    x = torch.randn(70, 24, requires_grad=True)
    fast(x).sum().backward()
    assert len(products) == 2 and fast.weight.grad is None
    with torch.no_grad():
        assert not fast(x).requires_grad
    fast.bias.requires_grad_(True)
    fast(x.detach()).sum().backward()
    torch.testing.assert_close(fast.bias.grad, torch.full((40,), 70.0))
    assert fast.weight.grad is None and len(products) == 4
    fast.requires_grad_(True)
    fast(x.detach()).sum().backward()
    assert fast.weight.grad is not None and len(products) == 6


def test_a_transposed_input_and_a_gradient_that_is_spread_out(products: list) -> None:
    """Not contiguous, and of stride 0, as a sum's gradient is."""
    fast, plain = _pair(True)
    x = torch.randn(24, 90).t().requires_grad_()
    other = x.detach().clone().requires_grad_()
    fast(x).sum().backward()
    plain(other).sum().backward()
    torch.testing.assert_close(x.grad, other.grad, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(fast.weight.grad, plain.weight.grad, rtol=1e-5, atol=1e-4)
    assert len(products) == 3


@pytest.mark.parametrize(
    'run',
    [
        lambda layer, x: layer(x[:10]),
        lambda layer, x: layer.double()(x.double()),
        lambda layer, x: torch.jit.trace(layer, x, check_trace=False)(x),
        lambda layer, x: torch.export.export(layer, (x,)).module()(x),
    ],
    ids=['few rows', 'float64', 'traced', 'exported'],
)
def test_otherwise_by_torch(products: list, run: Callable) -> None:
    fast, _ = _pair(True)
    run(copy.deepcopy(fast), torch.randn(100, 24))
    assert not products


def test_under_autocast_and_for_counting_by_torch(products: list) -> None:
    fast, _ = _pair(True)
    with torch.autocast('cpu', torch.bfloat16):
        assert fast(torch.randn(100, 24)).dtype == torch.bfloat16
    with FlopCounterMode(display=False) as counter:
        fast(torch.randn(100, 24))
    assert counter.get_total_flops() == 2 * 100 * 24 * 40 and not products


def test_a_compiler_that_begins_in_the_middle_finds_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that was once left out, as within a dispatch mode, stays so, and those inside are compiled."""
    monkeypatch.undo()
    monkeypatch.setattr(linear, 'has_slow_products', lambda: True)
    fast, plain = _pair(True)
    torch.compiler.reset()
    compiled = torch.compile(fast, backend='inductor')
    x = torch.randn(70, 24)
    with _Seen():
        compiled(x)
    for layer in (compiled, plain):
        layer(x).square().sum().backward()
    torch.testing.assert_close(fast.weight.grad, plain.weight.grad, rtol=1e-5, atol=1e-4)


class _Seen(TorchDispatchMode):
    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*args, **(kwargs or {}))


def test_the_transformers_linears_are_these() -> None:
    attention = SelfAttention(24, 3)
    assert type(attention.qkv) is type(attention.proj) is FastLinear
