"""Heads, token losses, distillers and the estimator that joins them."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.evaluation.functional import pose_pck_accuracy
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from small_models import between_cycles, heatmap_batch
from torch.testing import assert_close

from sdpose.errors import ConfigError
from sdpose.models.heads.accuracy import heatmap_pck
from sdpose.models.losses import DistillationLoss
from sdpose.models.outputs import ModelOutputs
from sdpose.structures import CycleTokens, TokenSet

CODEC = dict(type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1)
TERMS = dict(
    loss_query=dict(type='TokenMSELoss', on='query', loss_weight=5e-6),
    loss_visual=dict(type='TokenMSELoss', on='visual', loss_weight=5e-6),
)


def cycle_tokens(*sequences, num_queries=2, deployed=0):
    return CycleTokens(tuple(TokenSet(sequence, num_queries) for sequence in sequences), deployed)


def model_config(num_cycles=2, distiller=None, **head):
    return dict(
        type='DistillPoseEstimator',
        data_preprocessor=dict(type='mmpose.PoseDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3),
        backbone=dict(type='StemNet', stem_channels=4, num_blocks=1),
        neck=dict(
            type='MultiCycledTransformer',
            in_channels=16,
            feature_size=(12, 16),
            patch_size=(3, 4),
            num_queries=5,
            dim=16,
            depth=2,
            num_heads=2,
            num_cycles=num_cycles,
        ),
        head=dict(type='TokenPoseHead', in_channels=16, decoder=CODEC, **head),
        distiller=distiller,
    )


@pytest.mark.parametrize(
    'width, heatmap_size, linears', [(192, (48, 64), 2), (193, (48, 64), 1), (16, (12, 16), 1), (12, (12, 16), 2)]
)
def test_depth_of_the_mlp(width, heatmap_size, linears):
    head = MODELS.build(dict(type='TokenPoseHead', in_channels=width, decoder=dict(CODEC, heatmap_size=heatmap_size)))
    layers = [layer for layer in head.mlp if isinstance(layer, torch.nn.Linear)]
    assert len(layers) == linears
    assert layers[-1].out_features == heatmap_size[0] * heatmap_size[1]


def test_supervise_last_gives_the_earlier_cycle_no_loss(data_samples):
    torch.manual_seed(0)
    head = MODELS.build(dict(type='TokenPoseHead', in_channels=16, decoder=CODEC, supervise='last'))
    tokens = [torch.randn(3, 6, 16, requires_grad=True) for _ in range(3)]
    losses = head.loss(cycle_tokens(*tokens), data_samples(torch.rand(3, 2, 16, 12), torch.ones(3, 2)))
    assert set(losses) == {'loss_kpt_cycle3', 'acc_pose'}
    losses['loss_kpt_cycle3'].backward()
    assert [token.grad is not None for token in tokens] == [False, False, True]


@pytest.mark.parametrize('supervise', ['all', 'last'])
@pytest.mark.parametrize('deployed', [0, 1])
def test_accuracy_is_that_of_the_deployed_cycle(data_samples, supervise, deployed):
    torch.manual_seed(0)
    head = MODELS.build(dict(type='TokenPoseHead', in_channels=16, decoder=CODEC, supervise=supervise))
    feats = cycle_tokens(torch.randn(3, 6, 16), torch.randn(3, 6, 16), deployed=deployed)
    target = head(feats).detach()  # the deployed cycle is right by definition, the other is random
    assert head.loss(feats, data_samples(target, torch.ones(3, 2)))['acc_pose'] == 1
    other = head(feats._replace(deployed=1 - deployed)).detach()
    assert head.loss(feats, data_samples(other, torch.ones(3, 2)))['acc_pose'] < 0.5
    losses = head.loss(feats, data_samples(target, torch.ones(3, 2)), train_cfg=dict(compute_acc=False))
    assert 'acc_pose' not in losses


def test_accuracy_equals_mmpose():
    rng = np.random.default_rng(0)
    output = rng.normal(size=(6, 5, 16, 12)).astype(np.float32)
    target = output.copy()
    target[:3] = rng.normal(size=(3, 5, 16, 12))
    target[4, 2] = -1  # no positive value: no peak
    visible = rng.random((6, 5)) > 0.3
    visible[:, 4] = False  # a joint that nobody has
    _, expected, _ = pose_pck_accuracy(output, target, visible)
    measured = heatmap_pck(*(torch.from_numpy(array) for array in (output, target, visible)))
    assert 0.2 < expected < 0.9
    assert measured.item() == pytest.approx(expected, abs=1e-6)


def test_token_loss_by_hand():
    loss = MODELS.build(dict(type='TokenMSELoss', loss_weight=0.5))
    student = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    assert loss(student, torch.tensor([[[1.0, 0.0], [0.0, 4.0]]])).item() == 0.5 * (4 + 9) / 4
    assert loss(student, student).item() == 0
    with pytest.raises(ValueError, match=r'one shape, got \(1, 2, 2\) and \(1, 1, 2\)'):
        loss(student, student[:, :1])


def test_self_distiller_sums_over_pairs_of_cycles():
    distiller = MODELS.build(
        dict(
            type='SelfDistiller',
            terms=dict(loss_query=dict(type='TokenMSELoss', on='query', loss_weight=2.0), loss_visual=None),
        )
    )
    ones = torch.ones(1, 3, 4)
    losses = between_cycles(distiller, cycle_tokens(ones, 3 * ones, 6 * ones))
    assert losses == {'loss_query': torch.tensor(2.0 * (4 + 9))}


@pytest.mark.parametrize(
    'options, detach', [(dict(), False), (dict(detach_teacher=False), False), (dict(detach_teacher=True), True)]
)
def test_detach_teacher(options, detach):
    distiller = MODELS.build(dict(type='SelfDistiller', terms=TERMS, **options))
    student, teacher = (torch.full((1, 3, 4), value, requires_grad=True) for value in (1.0, 2.0))
    sum(between_cycles(distiller, cycle_tokens(student, teacher)).values()).backward()
    assert student.grad.abs().sum() > 0
    assert (teacher.grad is None) == detach


def test_distiller_bad_input():
    with pytest.raises(ValueError, match="'token_loss' must start with"):
        MODELS.build(dict(type='SelfDistiller', terms=dict(token_loss=TERMS['loss_query'])))
    with pytest.raises(ValueError, match="compares on='heatmap'; choose one of query, visual, visual_content, trace"):
        MODELS.build(dict(type='SelfDistiller', terms=dict(loss_x=dict(type='TokenMSELoss', on='heatmap'))))
    with pytest.raises(ValueError, match="term 'loss_x' must be the config of a loss, or None .*, not 3"):
        MODELS.build(dict(type='SelfDistiller', terms=dict(loss_x=3)))
    with pytest.raises(ValueError, match='loss_weight must not be negative, got -1'):
        MODELS.build(dict(type='TokenMSELoss', loss_weight=-1))
    with pytest.raises(ValueError, match='needs a later cycle to learn from: set model.neck.num_cycles'):
        MODELS.build(model_config(num_cycles=1, distiller=dict(type='SelfDistiller', terms=TERMS)))
    with pytest.raises(ValueError, match='needs a later cycle to learn from'):  # no neck at all
        MODELS.build(
            dict(
                type='DistillPoseEstimator',
                backbone=dict(type='StemNet'),
                head=dict(type='HeatmapHead', in_channels=256, out_channels=5, deconv_out_channels=None),
                distiller=dict(type='SelfDistiller', terms=TERMS),
            )
        )


def test_head_bad_input():
    with pytest.raises(ValueError, match="supervise='first' is unknown; choose one of all, last"):
        MODELS.build(dict(type='TokenPoseHead', in_channels=16, decoder=CODEC, supervise='first'))
    for size in ((8,), (0, 8), (8.5, 8), '88'):
        with pytest.raises(ValueError, match=r'heatmap_size of a codec is \(w, h\) in whole pixels'):
            MODELS.build(dict(type='TokenPoseHead', in_channels=16, decoder=dict(CODEC, heatmap_size=size)))
    with pytest.raises(ValueError, match='RegressionLabel has no heatmap_size'):
        MODELS.build(dict(type='TokenPoseHead', in_channels=16, decoder=dict(type='RegressionLabel')))


def test_estimator_trains_every_parameter_and_predicts(data_samples):
    torch.manual_seed(0)
    model = MODELS.build(model_config(distiller=dict(type='SelfDistiller', terms=TERMS)))
    model.init_weights()
    samples = data_samples(torch.rand(4, 5, 16, 12), torch.ones(4, 5))
    losses = model.train()(torch.randn(4, 3, 64, 48), samples, mode='loss')
    assert list(losses) == ['loss_kpt_cycle1', 'loss_kpt_cycle2', 'acc_pose', 'loss_query', 'loss_visual']
    total, _ = model.parse_losses(losses)
    assert_close(total, sum(value for name, value in losses.items() if name.startswith('loss_')))
    total.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []
    assert model.eval()(torch.randn(4, 3, 64, 48), samples, mode='tensor').shape == (4, 5, 16, 12)


def test_trained_sdpose_is_a_tokenpose(data_samples):
    """Cycles and self-distillation are training only: the checkpoint is the plain model's, and so is the output."""
    torch.manual_seed(0)
    sdpose = MODELS.build(model_config(num_cycles=3, distiller=dict(type='SelfDistiller', terms=TERMS)))
    sdpose.init_weights()
    tokenpose = MODELS.build(model_config(num_cycles=1))
    tokenpose.load_state_dict(sdpose.state_dict(), strict=True)
    image = torch.randn(2, 3, 64, 48)
    assert torch.equal(sdpose.eval()(image, None), tokenpose.eval()(image, None))


def test_released_initialization():
    torch.manual_seed(0)
    model = MODELS.build(model_config())
    model.init_weights()
    stds = {name: parameter.std().item() for name, parameter in model.named_parameters() if parameter.ndim > 1}
    for name, std in stds.items():
        expected = 0.001 if name.startswith('backbone') else 0.02
        assert std == pytest.approx(expected, rel=0.25), name
    assert all(not p.any() for name, p in model.named_parameters() if name.endswith('bias'))


@pytest.mark.parametrize(
    'kwargs, message', [(dict(extra=dict(stage1={}, stage2={})), 'got stage1, stage2; for all four stages use HRNet')]
)
def test_truncated_hrnet_bad_input(kwargs, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(type='TruncatedHRNet', **kwargs))


def test_stemnet_bad_input():
    with pytest.raises(ValueError, match='num_blocks=0'):
        MODELS.build(dict(type='StemNet', num_blocks=0))


def test_every_value_of_a_cycle_can_be_compared_between_cycles():
    """What a teacher may be compared by, the next cycle may be, too: traces and predictions."""
    terms = dict(
        loss_trace=dict(type='JointTokenLoss', on='trace'),
        loss_rows=dict(type='JointAttentionLoss', on='trace', divergence='mse'),
        loss_prediction=dict(type='HeatmapLogitLoss', on='prediction', use_target_weight=True),
    )
    model = MODELS.build(model_config(num_cycles=3, distiller=dict(type='SelfDistiller', terms=terms))).train()
    images, samples = heatmap_batch((48, 64))
    outputs, _ = model.distiller.run(model, images)
    losses = model.distiller.losses(outputs, None, samples)
    cycles = [tokens.trace for tokens in outputs.feats.cycles]
    expected = sum(
        (ours.query - theirs.query).square().mean()
        for student, teacher in zip(cycles, cycles[1:])
        for ours, theirs in zip(student, teacher)
    )
    assert_close(losses['loss_trace'], expected)
    weight = torch.cat([sample.gt_instance_labels.keypoint_weights for sample in samples])[..., None, None]
    maps = [outputs.prediction(cycle) for cycle in range(3)]
    expected = sum(((a - b).square() * weight).mean() for a, b in zip(maps, maps[1:]))
    assert_close(losses['loss_prediction'], expected)
    sum(model(images, samples, mode='loss')[name] for name in terms).backward()
    assert model.neck.layers[0].attn.qkv.weight.grad.abs().sum() > 0


def test_a_value_of_all_cycles_is_refused_between_cycles():
    with pytest.raises(ValueError, match="on='backbone', which is one for all cycles; choose one of query"):
        MODELS.build(dict(type='SelfDistiller', terms=dict(loss_x=dict(type='TokenMSELoss', on='backbone'))))


def test_a_loss_of_ones_own_is_a_distance():
    class Shift(DistillationLoss):
        reads = ('query',)
        needs_weight = True

        def distance(self, student, teacher, weight):
            return (weight * (teacher - student).mean(dim=2)).mean()

    MODELS.register_module()(Shift)
    try:
        terms = dict(loss_shift=dict(type='Shift', on='query', loss_weight=3.0))
        distiller = MODELS.build(dict(type='SelfDistiller', terms=terms))
        with pytest.raises(ValueError, match="Shift compares query, so it cannot be evaluated on='visual'"):
            MODELS.build(dict(type='SelfDistiller', terms=dict(loss_x=dict(type='Shift', on='visual'))))
    finally:
        MODELS._module_dict.pop('Shift')
    sample = PoseDataSample(gt_instance_labels=InstanceData(keypoint_weights=torch.tensor([[1.0, 0.0]])))
    feats = cycle_tokens(torch.zeros(1, 3, 4), torch.ones(1, 3, 4), torch.ones(1, 3, 4) * 2)
    losses = distiller.losses(ModelOutputs(None, (), feats), None, [sample])
    assert losses == dict(loss_shift=torch.tensor(2 * 3 * 0.5))
    with pytest.raises(TypeError, match='abstract class DistillationLoss .*distance'):
        DistillationLoss()
    for reads in ('query', ('query', 'visuals')):
        with pytest.raises(ValueError, match=r'Shift\.reads must be a tuple of values that a term can compare'):
            type('Shift', (Shift,), dict(reads=reads))()


@pytest.mark.parametrize('key', ['type', 'on'])
def test_a_term_without_loss_or_value_is_named(key):
    term = dict(type='TokenMSELoss', on='query')
    term.pop(key)
    with pytest.raises(ValueError, match=f"the distillation term 'loss_x' has no '{key}'"):
        MODELS.build(dict(type='SelfDistiller', terms=dict(loss_x=term)))


def test_a_term_does_not_replace_a_loss_of_the_head():
    terms = dict(loss_kpt_cycle1=dict(type='TokenMSELoss', on='query'))
    model = MODELS.build(model_config(distiller=dict(type='SelfDistiller', terms=terms)))
    with pytest.raises(ConfigError, match='terms.loss_kpt_cycle1: the head has a loss of this name'):
        model.loss(*heatmap_batch((48, 64)))
