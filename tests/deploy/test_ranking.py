"""Pruning by ranks and products, the form for runtimes without top-k."""

from pathlib import Path

import pytest
import torch
from families import TINY, family, pictures
from test_export import graph_of

from sdpose.config.nodes import input_size
from sdpose.deploy.export import ExportRequest
from sdpose.deploy.export.formats import BY_NAME
from sdpose.deploy.export.ranking import BF16_TOKENS, fusion, ranked, ranks, selection
from sdpose.errors import ConfigError


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_ranks_are_an_order_whatever_the_precision(dtype: torch.dtype) -> None:
    """Half precision makes ties of what was apart, here also exact ones; the earlier token goes first."""
    score = torch.rand(3, 200, generator=torch.Generator().manual_seed(0)).pow(6) * 1e-2
    score[:, 5:9] = score[:, 3:4]
    score = score.to(dtype)
    found = ranks(score)
    assert (found.sort().values == torch.arange(200)).all()
    assert (found.long() == score.argsort(dim=1, descending=True, stable=True).argsort(dim=1)).all()


def test_matrices_by_hand() -> None:
    score = torch.tensor([[0.1, 0.4, 0.2, 0.3]])
    assert selection(score, 2).tolist() == [[[0, 1, 0, 0], [0, 0, 0, 1]]]
    assert torch.allclose(fusion(score, 2, 2), torch.tensor([[[0, 1, 0, 0], [0.05, 0, 0.1, 0.15]]]))


@pytest.mark.parametrize('name', ['ppt', 'evit', 'dppt'])
def test_a_ranked_graph_answers_as_one_with_top_k(name: str) -> None:
    graph, _, cfg = graph_of(name)
    image = pictures(input_size(cfg)[::-1])
    other = ranked(graph)
    assert other is not graph
    with torch.no_grad():
        for one, two in zip(graph(image), other(image)):
            assert (one - two).abs().max() <= 1e-5 * max(1, one.abs().max())


def test_a_neck_that_is_exported_as_it_stands_ranks_too() -> None:
    """A user's own class of neck is not replaced by the deployed pass, and calls its pruner as the training does."""
    model, size = family(TINY['ppt'])
    image = pictures(size)
    with torch.no_grad():
        one, two = (each(image, None, mode='tensor') for each in (model, ranked(model)))
    assert (one - two).abs().max() <= 1e-5 * max(1, one.abs().max())


def test_what_does_not_prune_is_left_as_it_is() -> None:
    model, _ = family(TINY['sdpose'])
    assert ranked(model) is model


def test_ranks_that_bf16_does_not_hold_are_refused() -> None:
    graph, _, cfg = graph_of('ppt')
    image = pictures(input_size(cfg)[::-1], 1)
    with pytest.raises(ConfigError, match='holds exactly up to 5 tokens, and this model has 48; choose --precision'):
        ranked(graph, 5)(image)
    ranked(graph, BF16_TOKENS)(image)


@pytest.mark.long
@pytest.mark.parametrize('precision', ['fp32', 'bf16'])
@pytest.mark.parametrize('name', ['ppt', 'evit', 'dppt'])
def test_a_pruning_model_in_ncnn(name: str, precision: str, tmp_path: Path) -> None:
    graph, _, cfg = graph_of(name)
    image = pictures(input_size(cfg)[::-1], 1)
    to = BY_NAME['ncnn']
    file = to.write(graph, ExportRequest(('ncnn',), precision, batch=1), tmp_path / name, '', None)
    (found,) = to.open(file, precision).run(image.numpy())
    with torch.no_grad():
        wanted = graph(image)[0]
    error = torch.from_numpy(found) - wanted
    if precision == 'fp32':
        assert error.abs().max() <= 1e-5 * max(1, wanted.abs().max())
    else:  # 0.70 when a tie drops a token
        assert error.norm() <= 0.05 * wanted.norm()
