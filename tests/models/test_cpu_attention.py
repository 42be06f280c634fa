"""Half precision attention on a CPU: each kernel beside float64, and which of them is taken."""

import pytest
import torch

from sdpose.models.transformers import cpu_attention
from sdpose.models.transformers.cpu_attention import _Products, _Widened, as_on_a_gpu, attend

needs_option = pytest.mark.skipif(not hasattr(torch.backends.mkldnn, 'matmul'), reason='torch has no such option')
KERNELS = [_Widened, pytest.param(_Products, marks=needs_option)]
# Heads stand behind tokens in memory, as in the package.
SHAPE, SCALE = dict(batch=2, tokens=70, heads=3, width=24), 24**-0.5


def inputs(queries, large=1.0):
    """Queries, keys, values and a gradient (B, h, R or T, d), no one contiguous."""
    torch.manual_seed(0)
    batch, tokens, heads, width = SHAPE.values()
    numbers = [torch.randn(batch, count, heads, width) for count in (queries, tokens, tokens, queries)]
    q, k, v, gradient = (each.bfloat16().transpose(1, 2) for each in numbers)
    return [(large * q).requires_grad_(), (large * k).requires_grad_(), v.requires_grad_(), gradient]


def results(function, q, k, v, gradient):
    out = function(q, k, v)
    return [out, *torch.autograd.grad(out, (q, k, v), gradient)]


def exact(q, k, v, gradient):
    def function(q, k, v):
        return (q @ k.transpose(-2, -1) * SCALE).softmax(dim=-1) @ v

    wide = [each.detach().double().requires_grad_() for each in (q, k, v)]
    return results(function, *wide, gradient.double())


@pytest.mark.parametrize('kernel', KERNELS)
@pytest.mark.parametrize('at_a_time', [1, 3 * 4 * 70 * 70, 2**21], ids=['one', 'three', 'all'])
@pytest.mark.parametrize('queries', [70, 9])
def test_values_and_gradients(kernel, at_a_time, queries, monkeypatch):
    """Large scores, too: rounded to half precision, they would be off by several per cent."""
    monkeypatch.setattr(cpu_attention, '_AT_A_TIME', at_a_time)
    for large, allowed in ((1.0, 0.005), (4.0, 0.012)):
        given = inputs(queries, large)
        found = results(lambda q, k, v: kernel.apply(q, k, v, SCALE), *given)
        for one, wanted in zip(found, exact(*given), strict=True):
            assert one.dtype == torch.bfloat16 and one.shape == wanted.shape
            assert (one - wanted).norm() < allowed * wanted.norm()


@needs_option
def test_no_map_is_kept_and_the_option_is_put_back():
    q, k, v, gradient = inputs(70)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda each: kept.append(each) or each, lambda each: each):
        out = _Products.apply(q, k, v, SCALE)
    assert [each.shape for each in kept] == [q.shape, k.shape, v.shape]
    options = torch.backends.mkldnn.matmul
    before = options.fp32_precision
    assert before != 'bf16'
    out.backward(gradient)
    assert options.fp32_precision == before
    with pytest.raises(RuntimeError):
        _Products.apply(q, k[..., :5], v, SCALE)
    assert options.fp32_precision == before


@pytest.mark.parametrize(
    'dtype, multiplies, kernel',
    [
        (torch.bfloat16, True, '_Products'),
        (torch.bfloat16, False, '_Widened'),
        (torch.float16, True, '_Widened'),
        (torch.float32, True, None),
    ],
)
def test_which_kernel_is_taken(dtype, multiplies, kernel, monkeypatch):
    taken = []
    for name in ('_Products', '_Widened'):
        monkeypatch.setattr(getattr(cpu_attention, name), 'apply', lambda q, *_, name=name: taken.append(name) or q)
    monkeypatch.setattr(cpu_attention, 'multiplies_bfloat16', lambda: multiplies)
    q, k, v, _ = (each.to(dtype) for each in inputs(70))
    attend(q, k, v, SCALE)
    with as_on_a_gpu():
        attend(q, k, v, SCALE)
    assert taken == [kernel] * (kernel is not None)


def test_whether_this_cpu_multiplies_bfloat16(monkeypatch):
    ask = cpu_attention.multiplies_bfloat16.__wrapped__
    for has in (True, False):
        monkeypatch.setattr(torch.cpu, '_is_avx512_bf16_supported', lambda has=has: has, raising=False)
        monkeypatch.setattr(torch.cpu, '_is_amx_tile_supported', lambda: False, raising=False)
        assert ask() == (has and hasattr(torch.backends.mkldnn, 'matmul'))
    monkeypatch.delattr(torch.cpu, '_is_avx512_bf16_supported')
    assert not ask()
