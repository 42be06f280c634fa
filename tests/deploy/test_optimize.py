"""A model as it is deployed answers as the trained one does, which stays as it is."""

import copy
from typing import Any

import pytest
import torch
from families import FULL, TINY, family, outputs, pictures
from mmpose.registry import MODELS
from torch import Tensor, nn

import sdpose
import sdpose.apis
from sdpose.deploy.folding import fold_batch_norms
from sdpose.deploy.optimize import deploy, optimize_for_inference
from sdpose.deploy.packing import ActiveConv
from sdpose.deploy.single_pass import SinglePass
from sdpose.errors import ConfigError
from sdpose.models.pruners import TokenPruner
from sdpose.models.transformers import SelfAttention


def require_equal(model: Any, image: Tensor, *others: Any) -> None:
    """Answers within 1e-5 of each other, or of the largest number, which depends on the picture."""
    wanted = outputs(model, image)
    scale = max(1.0, max(value.abs().max().item() for value in wanted))
    assert max(value.std(dim=0).max() for value in wanted) > 1e-3
    for other in others:
        found = outputs(other, image)
        assert len(found) == len(wanted)
        assert max((a - b).abs().max() for a, b in zip(wanted, found)) <= 1e-5 * scale


@pytest.mark.parametrize('name', TINY)
def test_every_family_answers_as_before(name: str) -> None:
    model, size = family(TINY[name])
    keys = {key: value.clone() for key, value in model.state_dict().items()}
    require_equal(model, pictures(size), optimize_for_inference(model), deploy(model))
    assert all(torch.equal(value, keys[key]) for key, value in model.state_dict().items())
    assert model.state_dict().keys() == keys.keys()


@pytest.mark.long
@pytest.mark.parametrize('name', FULL)
def test_full_size_models_too(name: str) -> None:
    model, size = family(FULL[name])
    require_equal(model, pictures(size), optimize_for_inference(model), deploy(model))


@pytest.mark.parametrize('mode', ['xy', 'score', 'sigma', '1sigma', 'all', 'rle'])
def test_every_mode_of_the_coordinate_head(mode: str) -> None:
    options = {'model.head.mode': mode}
    if mode != 'rle':
        options['model.head.loss'] = None
    model, size = family(TINY['reg'], **options)
    require_equal(model, pictures(size), optimize_for_inference(model))


@pytest.mark.parametrize('layers', [(0,), (1,), (0, 1, 2), (2,)])
@pytest.mark.parametrize('kind', ['TokenPruner', 'FusingPruner'])
@pytest.mark.parametrize('test_cycles', [1, 2])
def test_pruning_in_any_layer_of_any_cycle(layers: tuple[int, ...], kind: str, test_cycles: int) -> None:
    options = {
        'model.neck.depth': 3,
        'model.neck.test_cycles': test_cycles,
        'model.neck.pruner': dict(type=kind, keep_ratio=0.5, layers=layers),
    }
    model, size = family(TINY['sdpose'], **options)
    require_equal(model, pictures(size), optimize_for_inference(model), deploy(model))


@pytest.mark.parametrize('position', ['sine', 'sine-full', 'learnable'])
def test_positions_and_biases(position: str) -> None:
    options = {'model.neck.depth': 2, 'model.neck.position': position, 'model.neck.qkv_bias': True}
    model, size = family(TINY['sdpose'], **options, **{'model.neck.attention_scale': 0.3})
    require_equal(model, pictures(size), optimize_for_inference(model))


class SquaredAttention(SelfAttention):
    """Another kernel."""

    def compute(self, q: Tensor, k: Tensor, v: Tensor, num_rows: int) -> tuple[Tensor, Tensor | None]:
        weights = (q @ k.transpose(-2, -1)).square() * self.scale
        weights = weights / weights.sum(dim=-1, keepdim=True)
        return weights @ v, weights[:, :, :num_rows] if num_rows else None


class LoudPruner(TokenPruner):
    """A pruner that changes the query tokens, too, so that it counts behind the last attention."""

    def reduce(self, tokens: Any, score: Tensor, count: int) -> Any:
        left = super().reduce(tokens, score, count)
        return left._replace(sequence=left.sequence * 2)


@pytest.fixture
def own_parts() -> Any:
    """Parts of a user's own, registered for a test."""
    for part in (SquaredAttention, LoudPruner):
        MODELS.register_module(module=part, force=True)
    yield
    for part in (SquaredAttention, LoudPruner):
        MODELS._module_dict.pop(part.__name__)


def test_parts_of_a_users_own_run_as_they_are(own_parts: Any) -> None:
    options = {'model.neck.depth': 2, 'model.neck.attention': dict(type='SquaredAttention')}
    model, size = family(TINY['sdpose'], **options)
    optimized = optimize_for_inference(model)
    require_equal(model, pictures(size), optimized)
    assert isinstance(optimized.neck, SinglePass) and optimized.neck.last is None
    options = {'model.neck.depth': 2, 'model.neck.pruner': dict(type='LoudPruner', keep_ratio=0.5, layers=(1,))}
    model, size = family(TINY['sdpose'], **options)
    require_equal(model, pictures(size), optimize_for_inference(model))


def test_it_predicts_through_the_whole_estimator() -> None:
    from mmpose.testing import get_packed_inputs

    model, (height, width) = family(TINY['sdpose'])
    inputs = get_packed_inputs(
        2, num_keypoints=17, img_shape=(height, width), input_size=(width, height), heatmap_size=(12, 16)
    )
    optimized = optimize_for_inference(model)
    with torch.no_grad():
        before, after = (each.test_step(copy.deepcopy(inputs)) for each in (model, optimized))
    for one, other in zip(before, after):
        assert abs(one.pred_instances.keypoints - other.pred_instances.keypoints).max() < 1e-3
    assert optimized.distiller is None and optimized.head.loss_module is None
    with pytest.raises(ConfigError, match='runs its deployed cycle alone, 2 were asked for'):
        optimized.neck((torch.zeros(1, 64, 16, 12),), cycles=2)


def test_visual_tokens_of_the_last_layer_are_not_computed() -> None:
    model, size = family(TINY['sdpose'], **{'model.neck.depth': 2})
    optimized = optimize_for_inference(model)
    widths: list[int] = []
    for layer in (*optimized.neck.layers, optimized.neck.last):
        layer.ffn.register_forward_hook(lambda module, inputs, output: widths.append(output.shape[1]))
    outputs(optimized, pictures(size))
    assert widths == [17 + 48, 17]  # 6 x 8 patches


def test_norms_are_folded_and_relus_packed() -> None:
    model, _ = family(TINY['sdpose'])
    optimized = optimize_for_inference(model)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in optimized.modules())
    assert sum(isinstance(module, ActiveConv) for module in optimized.modules()) == 5
    model, _ = family(TINY['simple'])
    assert not any(isinstance(module, nn.BatchNorm2d) for module in optimize_for_inference(model).modules())


class Shared(nn.Module):
    """A convolution whose output is read behind its norm and in front of it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.other = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.norm(x) + self.other(x)


def test_a_norm_is_kept_where_its_convolution_has_another_reader() -> None:
    shared = Shared().eval()
    assert fold_batch_norms(shared, lambda: shared(torch.rand(1, 3, 4, 4))) == 0
    assert isinstance(shared.norm, nn.BatchNorm2d)


def test_a_model_without_a_codec_needs_a_size() -> None:
    model, size = family(TINY['simple'])
    model.head.decoder = None
    with pytest.raises(ConfigError, match='give image_size'):
        optimize_for_inference(model)
    require_equal(model, pictures(size), optimize_for_inference(model, size))


@pytest.mark.parametrize('given', [None, torch.nn.Linear(2, 2)])
def test_what_is_no_model_is_one_line(given: Any) -> None:
    for size in (None, (64, 48)):
        with pytest.raises(ConfigError, match=f'{type(given).__name__} is no pose estimator and no classifier: give'):
            sdpose.optimize_for_inference(given, size)


def test_it_answers_in_mixed_precision() -> None:
    model, size = family(TINY['sdpose'])
    image, fast = pictures(size), sdpose.optimize_for_inference(model)
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        wanted, found = (each(image, None, mode='tensor') for each in (model, fast))
    assert (wanted - found).abs().max() < 0.05 * wanted.abs().max()


def test_it_stands_on_the_public_face() -> None:
    assert sdpose.optimize_for_inference is optimize_for_inference is sdpose.apis.optimize_for_inference
