"""The head of two vectors per joint: loss and accuracy by hand, flip test, places and scores by MMPose's codec."""

from typing import Any

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.codecs import SimCCLabel
from mmpose.models.losses import KLDiscretLoss
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor
from torch.testing import assert_close

from sdpose.models.heads import TokenSimCCHead
from sdpose.models.heads.accuracy import vector_pck
from sdpose.structures import CycleTokens, TokenSet

_CODEC = dict(type='SimCCLabel', input_size=(24, 32), sigma=(2.0, 2.0), simcc_split_ratio=2.0, normalize=False)
_SWAP = [1, 0, 2]


def _head(**options: Any) -> TokenSimCCHead:
    init_default_scope('mmpose')
    torch.manual_seed(0)
    head = MODELS.build(
        dict(type='TokenSimCCHead', in_channels=8, decoder={**_CODEC, **options.pop('codec', {})}, **options)
    )
    torch.nn.init.normal_(head.mlp[-1].weight)
    return head


def _tokens(*sequences: Tensor) -> CycleTokens:
    return CycleTokens(tuple(TokenSet(sequence, sequence.shape[1]) for sequence in sequences), 0)


def _samples(keypoints: np.ndarray, visible: np.ndarray) -> list[PoseDataSample]:
    """Samples with the codec's own targets of keypoints (B, K, 2)."""
    codec = SimCCLabel(**{key: value for key, value in _CODEC.items() if key != 'type'})
    made = []
    for joints, flags in zip(keypoints, visible):
        labels = codec.encode(joints[None], flags[None])
        sample = PoseDataSample(metainfo=dict(flip_indices=_SWAP, input_size=(24, 32)))
        sample.gt_instance_labels = InstanceData(**{key: torch.from_numpy(value) for key, value in labels.items()})
        made.append(sample)
    return made


def test_shapes_and_cycles() -> None:
    head = _head()
    tokens = _tokens(torch.randn(2, 3, 8), torch.randn(2, 3, 8))
    columns, rows = head(tokens)
    assert columns.shape == (2, 3, 48) and rows.shape == (2, 3, 64)
    samples = _samples(np.full((2, 3, 2), 10, np.float32), np.ones((2, 3), np.float32))
    assert set(head.loss(tokens, samples)) == {'loss_kpt_cycle1', 'loss_kpt_cycle2', 'acc_pose'}


def test_the_loss_is_mmposes_by_image() -> None:
    head = _head()
    raw = torch.randn(4, 3, 48 + 64)
    rng = np.random.default_rng(0)
    samples = _samples(rng.uniform(2, 20, (4, 3, 2)).astype(np.float32), np.float32([[1, 1, 0]] * 4))
    vectors, weight = head.targets(samples)
    assert weight.tolist() == [[1, 1, 0]] * 4 and vectors[0].max() == 1
    reference = KLDiscretLoss(beta=10.0, label_softmax=True)((raw[..., :48], raw[..., 48:]), vectors, weight)
    assert_close(head.loss_of(raw, (vectors, weight)), reference / 4)
    # One joint by hand: softmax of ten times each side, KL, over the cells; over joints by MMPose.
    one = head.loss_of(raw[:1, :1], ((vectors[0][:1, :1], vectors[1][:1, :1]), weight[:1, :1]))
    by_hand = 0.0
    for found, wanted in ((raw[0, 0, :48], vectors[0][0, 0]), (raw[0, 0, 48:], vectors[1][0, 0])):
        p, q = (10 * wanted).softmax(0), (10 * found).softmax(0)
        by_hand += (p * (p / q).log()).mean()
    assert_close(one, torch.as_tensor(by_hand))


def test_a_joint_nobody_labelled_has_no_gradient() -> None:
    head = _head()
    raw = torch.randn(1, 3, 112, requires_grad=True)
    samples = _samples(np.full((1, 3, 2), 9, np.float32), np.float32([[1, 0, 1]]))
    head.loss_of(raw, head.targets(samples)).backward()
    assert raw.grad is not None and raw.grad[0, 1].abs().max() == 0 < raw.grad[0, 0].abs().max()


def test_places_and_scores_are_the_codecs() -> None:
    head = _head()
    keypoints = np.float32([[[3, 4], [20.5, 30], [12, 16.5]]])
    vectors, _ = head.targets(_samples(keypoints, np.ones((1, 3), np.float32)))
    found = head.decode((0.8 * vectors[0], 0.6 * vectors[1]))[0]
    assert_close(found.keypoints, keypoints)
    assert_close(found.keypoint_scores, np.full((1, 3), 0.6, np.float32))  # the lower of the two peaks


def test_the_flip_test_averages_with_the_mirror_image() -> None:
    head = _head()
    plain, mirrored = _tokens(torch.randn(2, 3, 8)), _tokens(torch.randn(2, 3, 8))
    samples = _samples(np.full((2, 3, 2), 9, np.float32), np.ones((2, 3), np.float32))
    found = head.predict([plain, mirrored], samples, dict(flip_test=True))
    (x, y), (other_x, other_y) = head(plain), head(mirrored)
    x, y = (x + other_x[:, _SWAP].flip(-1)) / 2, (y + other_y[:, _SWAP]) / 2
    for instance, own_x, own_y in zip(found, x, y):
        expected = torch.stack([own_x.argmax(-1), own_y.argmax(-1)], -1) / 2
        assert_close(torch.from_numpy(instance.keypoints[0]), expected.float())
    # Vectors that point to mirrored places agree: the flip test changes nothing.
    head.forward = lambda feats: feats  # type: ignore[method-assign]
    same = head.predict([(x, y), (x[:, _SWAP].flip(-1), y[:, _SWAP])], samples, dict(flip_test=True))
    for one, two in zip(same, head.predict((x, y), samples)):
        assert_close(one.keypoints, two.keypoints)


def test_accuracy_by_hand() -> None:
    def vectors(x: list[int], y: list[int]) -> tuple[Tensor, Tensor]:
        return torch.eye(40)[torch.tensor([x])], torch.eye(20)[torch.tensor([y])]  # (1, K, 40), (1, K, 20)

    target = vectors([10, 10, 10], [5, 5, 5])
    found = vectors([11, 10, 30], [5, 7, 5])  # off by 1/40, by 2/20, by 1/2
    visible = torch.tensor([[True, True, True]])
    assert vector_pck(found, target, visible).item() == pytest.approx(1 / 3)
    assert vector_pck(found, target, torch.tensor([[True, False, False]])).item() == 1


@pytest.mark.parametrize(
    'codec, message',
    [
        (dict(normalize=True), "give its SimCCLabel smoothing_type='gaussian' and normalize=False"),
        (dict(smoothing_type='standard'), "smoothing_type='gaussian'"),
    ],
)
def test_codecs_whose_scores_would_be_none(codec: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _head(codec=codec)
    with pytest.raises(ValueError, match='needs the codec SimCCLabel, not RegressionLabel'):
        MODELS.build(
            dict(type='TokenSimCCHead', in_channels=8, decoder=dict(type='RegressionLabel', input_size=(24, 32)))
        )
