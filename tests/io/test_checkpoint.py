"""Weights are compared with a model key by key."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from sdpose.errors import CheckpointError, MismatchError
from sdpose.io.checkpoint import Comparison, compare, require_match, weights_of


def _model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def _changed() -> dict:
    weights = _model().state_dict()
    weights['0.weight'] = torch.zeros(4, 5)
    del weights['0.bias']
    weights['extra.scale'] = torch.zeros(())
    return weights


def test_equal_weights_match() -> None:
    result = compare(_model(), _model().state_dict())
    assert not result
    assert result.matched == 7


def test_a_batch_counter_may_be_absent() -> None:
    weights = _model().state_dict()
    del weights['1.num_batches_tracked']
    assert not compare(_model(), weights)


@pytest.mark.parametrize(
    'change, counts',
    [
        (lambda weights: weights.pop('0.bias'), '1 keys missing, 0 unexpected, 0 of another shape, 6 matched'),
        (
            lambda weights: weights.update(extra=torch.zeros(2)),
            '0 keys missing, 1 unexpected, 0 of another shape, 7 matched',
        ),
        (
            lambda weights: weights.update({'0.bias': torch.zeros(5)}),
            '0 keys missing, 0 unexpected, 1 of another shape, 6 matched',
        ),
    ],
)
def test_one_difference_is_enough(change: Callable, counts: str) -> None:
    weights = _model().state_dict()
    change(weights)
    with pytest.raises(MismatchError, match=counts):
        require_match(_model(), weights, 'x.pth', 'cure')


def test_every_kind_of_difference_is_found() -> None:
    result = compare(_model(), _changed())
    assert result.missing == {'0.bias': (4,)}
    assert result.unexpected == {'extra.scale': ()}
    assert result.misshaped == {'0.weight': ((4, 3), (4, 5))}
    assert result.matched == 5


def test_the_error_shows_them_in_one_table() -> None:
    with pytest.raises(MismatchError) as caught:
        require_match(_model(), _changed(), 'a.pth', 'Do something.')
    lines = str(caught.value).splitlines()
    assert lines[0] == (
        'a.pth does not fit the model Sequential: 1 keys missing, 1 unexpected, 1 of another shape, 5 matched'
    )
    assert [line.split() for line in lines[1:]] == [
        ['key', 'model', 'checkpoint'],
        ['missing', '0.bias', '4', '-'],
        ['unexpected', 'extra.scale', '-', 'scalar'],
        ['shape', '0.weight', '4x3', '4x5'],
        ['Do', 'something.'],
    ]


def test_a_long_table_is_shortened_in_an_error() -> None:
    missing, shapes = (
        {f'{number}.{name}': value for number in range(30)} for name, value in (('a', (1,)), ('b', ((1,), (2,))))
    )
    difference = Comparison(missing, {'c': ()}, shapes)
    lines = [line.split() for line in difference.table(3).splitlines()]
    assert [line[0] for line in lines] == ['key', *['missing'] * 4, 'unexpected', *['shape'] * 4]
    assert lines[4] == ['missing', 'and', '27', 'more'] and lines[-1] == ['shape', 'and', '27', 'more']
    assert len(difference.table().splitlines()) == 62
    with pytest.raises(MismatchError) as caught:
        require_match(_model(), {f'{number}': torch.ones(1) for number in range(500)}, 'a.pth', 'Do something.')
    assert 'unexpected  and 480 more' in str(caught.value) and str(caught.value).endswith('\nDo something.')


def test_layouts_of_a_checkpoint() -> None:
    tensor = torch.ones(2)
    assert weights_of(dict(state_dict={'module.a': tensor}, meta={}))['a'] is tensor
    assert list(weights_of({'a': tensor, 'epoch': 3})) == ['a']
    for prefix in ('_orig_mod.', 'module._orig_mod.', '_orig_mod.module.', 'module.module.'):
        assert weights_of({f'{prefix}a': tensor})['a'] is tensor
    with pytest.raises(CheckpointError, match='b.pth holds the same weights twice'):
        weights_of({'a': tensor, 'module.a': tensor}, 'b.pth')
    with pytest.raises(MismatchError, match=r"holds no weights: .* found \['epoch', 'net'\]"):
        weights_of({'epoch': 3, 'net': {}})
