"""What a head predicts beside places and scores: visibility and sigmas by hand, in every head, flip test and file."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor
from torch.testing import assert_close

from sdpose.errors import ConfigError, MismatchError
from sdpose.io.checkpoint import require_match
from sdpose.models.heads import SigmaRLEHead, TokenVisibility, visibility
from sdpose.models.heads.visibility import visibility_labels
from sdpose.structures import CycleTokens, TokenSet

_SWAP = [1, 0, 2]
_CODECS = dict(
    TokenPoseHead=dict(type='MSRAHeatmap', input_size=(24, 32), heatmap_size=(6, 8), sigma=1),
    TokenRegHead=dict(type='RegressionLabel', input_size=(24, 32)),
    TokenSimCCHead=dict(
        type='SimCCLabel', input_size=(24, 32), sigma=(2.0, 2.0), simcc_split_ratio=2.0, normalize=False
    ),
)


def build(kind: str, **options: Any) -> Any:
    init_default_scope('mmpose')
    torch.manual_seed(0)
    head: Any = MODELS.build(dict(type=kind, in_channels=8, decoder=_CODECS[kind], **options))
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return head.eval()


def tokens(*sequences: Tensor) -> CycleTokens:
    return CycleTokens(tuple(TokenSet(sequence, sequence.shape[1]) for sequence in sequences), 0)


def random_tokens(seed: int, cycles: int = 1) -> CycleTokens:
    generator = torch.Generator().manual_seed(seed)
    return tokens(*(torch.randn(2, 3, 8, generator=generator) for _ in range(cycles)))


def sample(flags: list[float] | None = None, weights: list[float] | None = None, **meta: Any) -> PoseDataSample:
    made = PoseDataSample(metainfo=dict(flip_indices=_SWAP, input_size=(24, 32), **meta))
    labels: dict[str, Tensor] = dict(
        keypoint_weights=torch.tensor([weights or [1.0, 1, 1]]),
        keypoint_labels=torch.full((1, 3, 2), 0.5),
        keypoint_x_labels=torch.rand(1, 3, 48),
        keypoint_y_labels=torch.rand(1, 3, 64),
    )
    if flags is not None:
        labels['keypoint_visibility'] = torch.tensor([flags])
    made.gt_instance_labels = InstanceData(**labels)
    made.gt_fields = PixelData(heatmaps=torch.rand(3, 8, 6))
    return made


def test_the_loss_of_a_divided_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean of two processes' losses, and of their gradients, is that of the whole batch, of 1 and of 3 joints."""
    torch.manual_seed(0)
    part, query = TokenVisibility(4), torch.randn(2, 3, 4)
    labels = torch.tensor([[1.0, -1, -1], [0, 1, 0]])
    for chosen in (labels, torch.tensor([[1.0, -1, -1], [-1, -1, -1]]), torch.full((2, 3), -1.0)):
        part.zero_grad()
        whole = part.loss(query, chosen)
        (expected,) = torch.autograd.grad(whole, [part.mlp[1].weight])
        with monkeypatch.context() as two:
            total = (chosen >= 0).sum().float()
            two.setattr(visibility, 'all_reduce', lambda number, total=total: number.copy_(total))
            two.setattr(visibility, 'get_world_size', lambda: 2)
            losses = [part.loss(query[place : place + 1], chosen[place : place + 1]) for place in range(2)]
        assert_close(sum(losses) / 2, whole)
        (found,) = torch.autograd.grad(sum(losses) / 2, [part.mlp[1].weight])
        assert_close(found, expected)


def test_the_loss_by_hand() -> None:
    part = TokenVisibility(2, loss_weight=0.5)
    part.mlp[0] = torch.nn.Identity()
    with torch.no_grad():
        part.mlp[1].weight.copy_(torch.tensor([[1.0, -1.0]]))
        part.mlp[1].bias.fill_(0.5)
    query = torch.tensor([[[1.0, 0], [0, 1], [3, 3]]], requires_grad=True)
    assert_close(part(query), torch.tensor([[1.5, -0.5, 0.5]]))
    labels = torch.tensor([[1.0, 0, -1]])  # seen, hidden, not labelled
    seen, hidden = math.log(1 + math.exp(-1.5)), math.log(1 + math.exp(-0.5))
    loss = part.loss(query, labels)
    assert_close(loss.item(), 0.5 * (seen + hidden) / 2)
    loss.backward()
    assert query.grad is not None and query.grad[0, 2].abs().max() == 0 < query.grad[0, 1].abs().max()
    assert part.loss(query, torch.full((1, 3), -1.0)).item() == 0
    with pytest.raises(ValueError, match='loss_weight of visibility is a number above 0, got 0'):
        TokenVisibility(2, loss_weight=0)


def test_a_joint_outside_of_the_crop_does_not_count() -> None:
    found = visibility_labels([sample([1, 0, -1], [0, 1, 1]), sample([1, 1, 0], [2.0, 0, 0.5])])
    assert found.tolist() == [[-1, 0, -1], [1, -1, 0]]
    with pytest.raises(ConfigError, match='end the training pipeline with PackVisibilityInputs'):
        visibility_labels([sample([1, 0, 1]), sample()])


@pytest.mark.parametrize('kind', _CODECS)
def test_every_supervised_cycle_has_a_loss(kind: str) -> None:
    head = build(kind, visibility=dict(loss_weight=2.0), supervise=dict(gamma=0.5))
    feats, samples = random_tokens(1, 2), [sample([1, 0, -1]), sample([0, 1, 1])]
    losses = head.loss(feats, samples)
    assert [name for name in losses if 'visibility' in name] == ['loss_visibility_cycle1', 'loss_visibility_cycle2']
    labels = torch.tensor([[1.0, 0, -1], [0, 1, 1]])
    for cycle, weight in ((0, 1.0), (1, 0.5)):
        logits = head.visibility(feats.cycles[cycle].query)
        p = logits.sigmoid()
        each = -(labels * p.log() + (1 - labels) * (1 - p).log())[labels >= 0]
        assert_close(losses[f'loss_visibility_cycle{cycle + 1}'], 2.0 * weight * each.mean())
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(parameter.grad is not None for parameter in head.visibility.parameters())
    alone = build(kind, visibility={}).loss(random_tokens(1), samples)
    assert {name for name in alone if 'loss' in name} == {'loss_kpt', 'loss_visibility'}
    # Without it: the losses and the keys that there were, and no flags are needed.
    plain = build(kind)
    assert not [key for key in plain.state_dict() if 'visibility' in key]
    assert set(plain.loss(feats, [sample(), sample()])) == {'loss_kpt_cycle1', 'loss_kpt_cycle2', 'acc_pose'}


@pytest.mark.parametrize('kind', _CODECS)
@torch.no_grad()
def test_predicted_beside_the_key_points(kind: str) -> None:
    head, plain = build(kind, visibility={}), build(kind)
    plain.load_state_dict({key: value for key, value in head.state_dict().items() if 'visibility' not in key})
    feats, mirrored, samples = random_tokens(1), random_tokens(2), [sample(), sample()]
    for given, config in ((feats, {}), ([feats, mirrored], dict(flip_test=True))):
        found, without = head.predict(given, samples, config), plain.predict(given, samples, config)
        p = head.visibility(feats.output.query).sigmoid()
        if config:
            p = (p + head.visibility(mirrored.output.query).sigmoid()[:, _SWAP]) / 2
        for instance, other, expected in zip(found, without, p):
            assert instance.keypoint_visibility.shape == (1, 3)
            assert_close(torch.from_numpy(instance.keypoint_visibility[0]), expected.detach())
            assert np.array_equal(instance.keypoints, other.keypoints)
            assert np.array_equal(instance.keypoint_scores, other.keypoint_scores)
            assert 'keypoint_visibility' not in other


@torch.no_grad()
def test_the_sigma_of_a_likelihood_in_pixels() -> None:
    head = build('TokenRegHead', mode='rle', report_sigma=True, visibility={})
    assert head.reports == ('keypoint_visibility', 'keypoint_sigmas')
    feats, mirrored = random_tokens(1), random_tokens(2)
    # A sigma of a quarter of the region, in pixels of the picture: a region of 48 x 64 of it, and the crop itself.
    raw, other = (head.outputs(each.output.query)[..., 2:4].sigmoid() for each in (feats, mirrored))
    region = np.array([48.0, 64.0], np.float32)
    where = [sample(input_scale=region, input_center=np.zeros(2)), sample()]
    for given, config, expected in (
        (feats, {}, raw),
        ([feats, mirrored], dict(flip_test=True), (raw + other[:, _SWAP]) / 2),
    ):
        found = head.predict(given, where, config)
        for instance, values, size in zip(found, expected, ([48.0, 64.0], [24.0, 32.0])):
            assert instance.keypoint_sigmas.shape == (1, 3, 2)
            assert_close(torch.from_numpy(instance.keypoint_sigmas[0]), values.detach() * torch.tensor(size))
            score = 1 - (raw if not config else (raw + other[:, _SWAP]) / 2).mean(-1)
        assert_close(torch.from_numpy(np.concatenate([each.keypoint_scores for each in found])), score.detach())
    off = build('TokenRegHead', mode='rle')
    assert off.reports == () and 'keypoint_sigmas' not in off.predict(feats, where)[0]
    with pytest.raises(ValueError, match="report_sigma=True is for the mode 'rle'.*, not for mode='sigma'"):
        build('TokenRegHead', mode='sigma', report_sigma=True)


def test_mmposes_rle_with_sigmas() -> None:
    init_default_scope('mmpose')
    config = dict(in_channels=8, num_joints=3, decoder=_CODECS['TokenRegHead'])
    head: Any = MODELS.build(dict(type='SigmaRLEHead', **config)).eval()
    plain: Any = MODELS.build(dict(type='RLEHead', **config)).eval()
    plain.load_state_dict(head.state_dict())
    assert isinstance(head, SigmaRLEHead)
    with torch.no_grad():
        head.fc.bias.copy_(torch.arange(12.0) / 4)
        plain.fc.bias.copy_(head.fc.bias)
        feats = [(torch.randn(2, 8, 1, 1),), (torch.randn(2, 8, 1, 1),)]
        where = [sample(input_scale=np.float32([48, 64])), sample()]
        for given, config in ((feats[0], {}), (feats, dict(flip_test=True))):
            found, other = head.predict(given, where, config), plain.predict(given, where, config)
            sigma = head.forward(feats[0])[..., 2:].sigmoid()
            if config:
                sigma = (sigma + head.forward(feats[1])[..., 2:].sigmoid()[:, _SWAP]) / 2
            for instance, same, each, size in zip(found, other, sigma, ([48, 64], [24, 32])):
                assert_close(torch.from_numpy(instance.keypoint_sigmas[0]), each * torch.tensor(size))
                assert np.array_equal(instance.keypoints, same.keypoints)
                assert np.array_equal(instance.keypoint_scores, same.keypoint_scores)


def test_a_checkpoint_with_another_output_is_one_line() -> None:
    class Model(torch.nn.Module):
        def __init__(self, **options: Any) -> None:
            super().__init__()
            self.head = build('TokenPoseHead', **options)

    with_it, without = Model(visibility={}), Model()
    require_match(with_it, with_it.state_dict(), 'a.pth', 'Do it.')
    with pytest.raises(MismatchError) as lacks:
        require_match(with_it, without.state_dict(), 'a.pth', 'Do it.')
    assert str(lacks.value) == (
        'a.pth has no visibility output, which model.head.visibility asks for (None leaves it out). Do it.'
    )
    with pytest.raises(MismatchError) as has:
        require_match(without, with_it.state_dict(), 'a.pth', 'Do it.')
    assert (
        str(has.value) == 'a.pth has a visibility output, but model.head.visibility is None (dict() builds it). Do it.'
    )
    # If anything else differs, all of it is said.
    torn = {key: value for key, value in without.state_dict().items() if 'mlp.0' not in key}
    with pytest.raises(MismatchError, match='6 keys missing') as more:
        require_match(with_it, torn, 'a.pth', 'Do it.')
    assert 'visibility.mlp' in str(more.value)
