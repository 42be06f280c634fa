"""Self-distillation beyond the paper's: predictions, the last cycle, normalized tokens, weights of cycles."""

import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from small_models import between_cycles, heatmap_batch
from test_heads_and_distillers import CODEC, TERMS, cycle_tokens, model_config
from torch.testing import assert_close

from sdpose.errors import ConfigError
from sdpose.models.distillers import Teacher
from sdpose.models.heads.token_reg_head import PoseRegression

PREDICTION = dict(loss_prediction=dict(type='HeatmapLogitLoss', on='prediction'))


def test_normalized_tokens_by_hand():
    loss = MODELS.build(dict(type='TokenMSELoss', normalize=True, loss_weight=0.5))
    student = torch.tensor([[[1.0, 3.0], [5.0, 2.0]]])  # (1, -1)-like after the norm: -1, 1 and 1, -1
    teacher = torch.tensor([[[-200.0, -100.0], [0.0, 7.0]]])  # -1, 1 and -1, 1
    assert loss(student, teacher).item() == pytest.approx(0.5 * (0 + 0 + 4 + 4) / 4, rel=1e-4)
    # Neither length nor a constant matters.
    assert loss(100 * student + 3, student).item() == pytest.approx(0, abs=1e-6)
    assert MODELS.build(dict(type='TokenMSELoss'))(100 * student, student) > 1e4


def test_a_norm_over_the_columns_of_a_map_is_refused():
    term = dict(type='TokenMSELoss', normalize=True, on='prediction')
    with pytest.raises(ValueError, match='TokenMSELoss compares query, visual, visual_content, so it cannot'):
        MODELS.build(dict(type='SelfDistiller', terms=dict(loss_x=term)))


def test_the_last_cycle_teaches_every_other():
    terms = dict(loss_query=dict(type='TokenMSELoss', on='query'))
    ones = torch.ones(1, 3, 4)
    tokens = cycle_tokens(ones, 3 * ones, 6 * ones)
    for teacher, expected in (('next', 4 + 9), ('last', 25 + 9)):
        distiller = MODELS.build(dict(type='SelfDistiller', terms=terms, teacher=teacher))
        assert between_cycles(distiller, tokens) == {'loss_query': torch.tensor(float(expected))}
    with pytest.raises(ValueError, match="teacher='first' is unknown; choose one of next, last"):
        MODELS.build(dict(type='SelfDistiller', terms=terms, teacher='first'))


def test_the_gradient_stops_at_the_last_cycle_alone():
    terms = dict(loss_query=dict(type='TokenMSELoss', on='query'))
    distiller = MODELS.build(dict(type='SelfDistiller', terms=terms, teacher='last', detach_teacher=True))
    tokens = [torch.full((1, 3, 4), value, requires_grad=True) for value in (1.0, 3.0, 6.0)]
    between_cycles(distiller, cycle_tokens(*tokens))['loss_query'].backward()
    # d/dx of the mean over two of three tokens: 2 (x - 6) / 8.
    assert [None if t.grad is None else t.grad[0, 0, 0].item() for t in tokens] == [-10 / 8, -6 / 8, None]


def test_one_cycle_has_nothing_to_compare():
    distiller = MODELS.build(dict(type='SelfDistiller', terms=TERMS))
    assert between_cycles(distiller, cycle_tokens(torch.ones(1, 3, 4))) == {}


@pytest.mark.parametrize('trade, share', [(1.0, 0.0), (0.25, 0.75), (0.0, 1.0)])
def test_pose_losses_are_traded_for_what_the_last_cycle_says(trade, share):
    """ELT in pose: lambda J(P_1, G) + (1 - lambda) J(P_1, P_2), with the same J."""
    distiller = dict(type='SelfDistiller', terms=PREDICTION, teacher='last', detach_teacher=True)
    torch.manual_seed(0)
    model = MODELS.build(model_config(distiller=distiller)).train()
    images, samples = heatmap_batch((48, 64))
    plain = model(images, samples, mode='loss')
    model.distiller.factor, model.head.early_weight = share, trade
    losses = model(images, samples, mode='loss')
    assert ('loss_kpt_cycle1' in losses) == (trade > 0)
    if trade:
        assert_close(losses['loss_kpt_cycle1'], trade * plain['loss_kpt_cycle1'])
    assert_close(losses['loss_prediction'], share * plain['loss_prediction'])
    assert torch.equal(losses['loss_kpt_cycle2'], plain['loss_kpt_cycle2'])


def test_unlabelled_joints_are_an_option():
    images, samples = heatmap_batch((48, 64))
    weight = torch.cat([sample.gt_instance_labels.keypoint_weights for sample in samples])
    assert 0 < weight.mean() < 1
    values = []
    for labelled in (False, True):
        term = dict(PREDICTION['loss_prediction'], use_target_weight=labelled)
        torch.manual_seed(0)
        model = MODELS.build(model_config(distiller=dict(type='SelfDistiller', terms=dict(loss_x=term)))).train()
        outputs, _ = model.distiller.run(model, images)
        one, two = (outputs.prediction(cycle) for cycle in range(2))
        error = (one - two).square().mean(dim=(2, 3))  # (B, K)
        expected = (error * (weight if labelled else 1)).mean()
        assert_close(model.distiller.losses(outputs, None, samples)['loss_x'], expected)
        values.append(error)
    assert torch.equal(*values)


def test_the_divergence_of_two_laplace_distributions_by_hand():
    def of(x, scale):
        coords = torch.tensor([[[x, 0.5]]], dtype=torch.float64)
        return PoseRegression(coords, None, torch.full_like(coords, scale))

    loss = MODELS.build(dict(type='LaplaceKLLoss', loss_weight=3.0))
    # One axis apart by 0.2, the other equal: log(0.2/0.1) + (0.2 + 0.1 exp(-2)) / 0.2 - 1 and log 2 + 0.1 / 0.2 - 1.
    expected = (math.log(2) + (0.2 + 0.1 * math.exp(-2)) / 0.2 - 1) + (math.log(2) - 0.5)
    assert loss(of(0.3, 0.2), of(0.5, 0.1)).item() == pytest.approx(3 * expected / 2, rel=1e-5)
    assert loss(of(0.3, 0.2), of(0.3, 0.2)).item() == pytest.approx(0, abs=1e-7)
    # By numerical integration of p log(p / q) over one axis.
    x = torch.linspace(-6, 6, 400001, dtype=torch.float64)
    p, q = (torch.exp(-(x - m).abs() / b) / (2 * b) for m, b in ((0.5, 0.1), (0.3, 0.2)))
    integral = torch.trapezoid(p * (p.log() - q.log()), x).item()
    both = MODELS.build(dict(type='LaplaceKLLoss'))(of(0.3, 0.2), of(0.5, 0.1)).item()
    assert 2 * both - (math.log(2) - 0.5) == pytest.approx(integral, rel=1e-4)
    weighted = MODELS.build(dict(type='LaplaceKLLoss', use_target_weight=True))
    assert weighted(of(0.3, 0.2), of(0.5, 0.1), torch.zeros(1, 1)).item() == 0


def regression_model(mode, term):
    config = model_config(distiller=dict(type='SelfDistiller', terms=dict(loss_x=term), detach_teacher=True))
    decoder = dict(type='RegressionLabel', input_size=(48, 64))
    return dict(config, head=dict(type='TokenRegHead', in_channels=16, decoder=decoder, mode=mode))


def regression_batch():
    images, samples = heatmap_batch((48, 64))
    for sample in samples:
        sample.gt_instance_labels.keypoint_labels = torch.rand(1, 5, 2)
    return images, samples


def test_coordinates_with_their_likelihood_teach():
    torch.manual_seed(0)
    model = MODELS.build(regression_model('rle', dict(type='LaplaceKLLoss', on='prediction')))
    losses = model.train()(*regression_batch(), mode='loss')
    assert losses['loss_x'] > 0 and 'loss_kpt_cycle2' in losses
    losses['loss_x'].backward()
    assert model.head.mlp[-1].weight.grad.abs().sum() > 0
    assert all(p.grad is None for p in model.head.loss_module.parameters())  # the flow learns from annotations alone


def test_classes_teach_by_hand():
    loss = MODELS.build(dict(type='ClassKLLoss', temperature=2.0))
    student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[2 * math.log(3), 0.0]])
    # At T = 2 the teacher is (3/4, 1/4), the student (1/2, 1/2).
    expected = 4 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert loss(student, teacher).item() == pytest.approx(expected, rel=1e-5)
    assert loss(teacher, teacher).item() == pytest.approx(0, abs=1e-7)
    # Logarithms of bfloat16 would put the divergence of two that are close below 0.
    torch.manual_seed(0)
    near = torch.randn(64, 100).bfloat16()
    pair = near, near + 0.02 * torch.randn(64, 100).bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        assert loss(*pair).item() == pytest.approx(loss(*(each.float() for each in pair)).item(), rel=1e-4)
    with pytest.raises(ValueError, match='temperature must be positive, got 0'):
        MODELS.build(dict(type='ClassKLLoss', temperature=0))
    with pytest.raises(ValueError, match=r'logits .* one shape, got \(1, 2\) and \(1, 1\)'):
        loss(student, teacher[:, :1])


def test_vectors_teach_by_hand():
    loss = MODELS.build(dict(type='SimCCKLLoss', beta=2.0, loss_weight=3.0))
    # Behind the softmax the teacher's columns are (3/4, 1/4) and the student's (1/2, 1/2); the rows are equal.
    columns, rows = torch.tensor([[[math.log(3) / 2, 0.0], [0.0, 0.0]]]), torch.rand(1, 2, 5)
    student, teacher = (torch.zeros(1, 2, 2), rows), (columns, rows + 7)  # a constant is none behind the softmax
    divergence = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    # The mean over the two cells and the two joints, of which one agrees.
    assert loss(student, teacher).item() == pytest.approx(3 * divergence / 2 / 2, rel=1e-5)
    assert loss(teacher, teacher).item() == pytest.approx(0, abs=1e-7)
    weighted = MODELS.build(dict(type='SimCCKLLoss', beta=2.0, use_target_weight=True))
    for weight, expected in (((1.0, 0.0), divergence / 4), ((0.0, 1.0), 0.0)):
        found = weighted(student, teacher, torch.tensor([weight])).item()
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)
    across = student[1], student[0]  # rows count as columns do
    assert loss(across, (teacher[1], teacher[0])).item() == pytest.approx(3 * divergence / 4, rel=1e-5)
    two = [tuple(each.repeat(2, 1, 1) for each in pair) for pair in (student, teacher)]  # the mean over images
    assert loss(*two).item() == pytest.approx(3 * divergence / 4, rel=1e-5)
    with pytest.raises(ValueError, match='beta must be positive, and finite, got -1'):
        MODELS.build(dict(type='SimCCKLLoss', beta=-1))
    with pytest.raises(ValueError, match=r'vectors of .* one shape, got \(1, 2, 5\) and \(1, 2, 4\)'):
        loss(student, (columns, rows[..., :4]))


def simcc_model(term):
    config = model_config(distiller=dict(type='SelfDistiller', terms=dict(loss_x=term), detach_teacher=True))
    decoder = dict(type='SimCCLabel', input_size=(48, 64), sigma=2.0, simcc_split_ratio=2.0, normalize=False)
    return dict(config, head=dict(type='TokenSimCCHead', in_channels=16, decoder=decoder))


def test_two_vectors_per_joint_teach_in_a_training():
    torch.manual_seed(0)
    model = MODELS.build(simcc_model(dict(type='SimCCKLLoss', on='prediction', loss_weight=10.0))).train()
    images, samples = heatmap_batch((48, 64))
    for sample in samples:
        joints = np.random.default_rng(0).uniform(5, 40, (1, 5, 2)).astype(np.float32)
        labels = model.head.decoder.encode(joints, np.ones((1, 5), np.float32))
        sample.gt_instance_labels = InstanceData(**{key: torch.from_numpy(value) for key, value in labels.items()})
    optimizer, poses = torch.optim.Adam(model.parameters(), 2e-3), []
    for _ in range(25):
        losses = model(images, samples, mode='loss')
        poses.append(losses['loss_kpt_cycle1'].item())
        assert 0 < losses['loss_x'] < math.inf
        (taught,) = torch.autograd.grad(losses['loss_x'], model.head.mlp[-1].weight, retain_graph=True)
        assert taught.abs().sum() > 0
        optimizer.zero_grad()
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        assert all(each.grad is not None and each.grad.isfinite().all() for each in model.parameters())
        optimizer.step()
    assert poses[-1] < 0.8 * poses[0]


def test_a_term_that_the_head_does_not_fit_is_refused_when_the_model_is_built():
    for mode in ('xy', 'all'):
        with pytest.raises(ValueError, match=r"regresses a likelihood: .*mode='rle', not TokenRegHead"):
            MODELS.build(regression_model(mode, dict(type='LaplaceKLLoss', on='prediction')))
    for name in ('HeatmapLogitLoss', 'LimbVectorLoss', 'JointRelationLoss'):
        for model in (simcc_model, lambda term: regression_model('rle', term)):
            with pytest.raises(ValueError, match=f'{name} compares heatmaps, which Token.*Head does not predict'):
                MODELS.build(model(dict(type=name, on='prediction')))
    with pytest.raises(ValueError, match='SimCCKLLoss .*, which TokenRegHead does not predict'):
        MODELS.build(regression_model('rle', dict(type='SimCCKLLoss', on='prediction')))
    for name, said in (
        ('SimCCKLLoss', 'which TokenPoseHead does not predict'),
        ('LaplaceKLLoss', 'not TokenPoseHead'),
        ('ClassKLLoss', 'which TokenPoseHead does not predict'),
    ):
        terms = dict(loss_x=dict(type=name, on='prediction'))
        with pytest.raises(ValueError, match=said):
            MODELS.build(model_config(distiller=dict(type='SelfDistiller', terms=terms)))


@pytest.mark.parametrize('gamma', [0.5, 2.0])
def test_weights_of_the_cycles_by_hand(data_samples, gamma):
    torch.manual_seed(0)
    plain = MODELS.build(dict(type='TokenPoseHead', in_channels=16, decoder=CODEC))
    falling = MODELS.build(dict(type='TokenPoseHead', in_channels=16, decoder=CODEC, supervise=dict(gamma=gamma)))
    falling.load_state_dict(plain.state_dict())
    feats = cycle_tokens(*(torch.randn(3, 6, 16) for _ in range(3)))
    samples = data_samples(torch.rand(3, 2, 16, 12), torch.ones(3, 2))
    one, other = plain.loss(feats, samples), falling.loss(feats, samples)
    for cycle, weight in ((1, 1), (2, gamma), (3, gamma**2)):
        assert_close(other[f'loss_kpt_cycle{cycle}'], weight * one[f'loss_kpt_cycle{cycle}'])
    assert one['acc_pose'] == other['acc_pose']


def test_odd_weights_of_the_cycles_are_refused():
    for odd in (dict(gamma=0), dict(gamma=-1.0), dict(gamma='x'), dict(), dict(gamma=0.5, beta=1)):
        with pytest.raises(ValueError, match=r'supervise as a dict is dict\(gamma=...\) with a number above 0'):
            MODELS.build(dict(type='TokenPoseHead', in_channels=16, decoder=CODEC, supervise=odd))


def test_a_copy_teaches_in_place_of_the_later_cycle():
    torch.manual_seed(0)
    model = MODELS.build(model_config(num_cycles=3, distiller=dict(type='SelfDistiller', terms=PREDICTION))).train()
    plain = copy.deepcopy(model)
    plain.distiller = None
    for parameter in plain.parameters():
        parameter.data += 0.01
    model.distiller.own_teacher = Teacher('of its own weights', None)
    model.distiller.own_teacher.use(plain, model)
    images, samples = heatmap_batch((48, 64))
    student, teacher = model.distiller.run(model, images)
    assert teacher.cycles == 3 and not teacher.prediction(2).requires_grad
    losses = model.distiller.losses(student, teacher, samples)
    pairs = ((0, 1), (1, 2))
    expected = sum((student.prediction(i) - teacher.prediction(j)).square().mean() for i, j in pairs)
    assert_close(losses['loss_prediction'], expected)
    # The copy is evaluated, with the statistics of its batch norms, not those of the batch.
    with torch.no_grad():
        alone = plain.eval().head.activate(plain.head.outputs(plain.extract_feat(images).output.query))
    assert_close(teacher.prediction(0), alone)
    assert not any(key.startswith('distiller') for key in model.state_dict())
    assert SimpleNamespace(**losses).loss_prediction.requires_grad


@pytest.mark.parametrize(
    'cycles, adapter, refused',
    [
        ([1], None, None),
        ([2], None, 'cycles to'),
        (None, None, 'cycles to'),
        ([1], 'CycleRestart', 'leave CycleRestart'),
    ],
)
def test_cycles_that_keep_other_patches_are_not_compared_by_patch(cycles, adapter, refused):
    """Refused when training starts, since an annealed keep ratio lets the first epochs pass; not for predicting."""
    config = model_config(num_cycles=3, distiller=dict(type='SelfDistiller', terms=TERMS))
    pruner = dict(type='TokenPruner', keep_ratio=0.5, layers=[0], cycles=cycles)
    config['neck'].update(pruner=pruner, cycle_adapter=adapter and dict(type=adapter))
    if refused is None:
        assert MODELS.build(config).train()(*heatmap_batch((48, 64)), mode='loss')['loss_visual'] > 0
        return
    model = MODELS.build(config)
    with pytest.raises(ConfigError, match=f"on='visual', but the cycles keep different patches: .*{refused}"):
        model.init_weights()
    config['distiller']['terms'] = dict(loss_query=TERMS['loss_query'], loss_visual=None)
    assert MODELS.build(config).train()(*heatmap_batch((48, 64)), mode='loss')['loss_query'] > 0
