"""IKD's student and teacher as models: which values are compared, what is trained, what a checkpoint holds."""

import pytest
import torch
from mmpose.registry import MODELS
from small_models import heatmap_batch, stock_hrnet, teacher_of, write_teacher
from torch.testing import assert_close

from sdpose.apis.complexity import count_parameters
from sdpose.errors import ConfigError
from sdpose.io.checkpoint import compare

CODEC = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=1)
TERMS = dict(
    loss_logit=dict(type='HeatmapLogitLoss', on='prediction', loss_weight=0.5),
    loss_feature=dict(type='FeatureMSELoss', on='backbone', student_channels=32, teacher_channels=64),
    loss_deconv=dict(type='FeatureMSELoss', on='deconv', student_channels=4, teacher_channels=6),
    loss_attention=dict(type='AttentionTransferLoss', on='backbone'),
    loss_structure=dict(type='JointRelationLoss', on='prediction'),
    loss_limb=dict(type='LimbVectorLoss', on='prediction', limbs=[(0, 1), (1, 2)]),
)


def simple_baseline(width, deconv, **backbone):
    """A SimpleBaseline on a ResNet-18 whose stages have 1, 2, 4 and 8 times ``width`` channels."""
    return dict(
        type='DistillPoseEstimator',
        data_preprocessor=dict(type='PoseDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3),
        backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=width, **backbone),
        head=dict(
            type='HeatmapHead',
            in_channels=8 * width,
            out_channels=5,
            deconv_out_channels=(deconv,) * 3,
            loss=dict(type='KeypointMSELoss', use_target_weight=True, loss_weight=0.5),
            decoder=CODEC,
        ),
    )


STUDENT, TEACHER = simple_baseline(4, 4), dict(simple_baseline(8, 6), type='TopdownPoseEstimator')
HRNET = stock_hrnet(CODEC)


@pytest.fixture
def student_of(tmp_path):
    """Builds a student with terms and a teacher of random weights that was written to files."""

    def build(terms=TERMS, teacher=TEACHER, student=STUDENT):
        files = write_teacher(tmp_path, teacher, std=0.3)
        torch.manual_seed(0)
        model = MODELS.build(dict(student, distiller=dict(type='TeacherDistiller', terms=terms, **files)))
        model.distiller.init_weights()
        return model

    return build


def test_trains_on_all_its_terms(student_of):
    model = student_of().train()
    losses = model(*heatmap_batch(), mode='loss')
    assert list(losses) == ['loss_kpt', 'acc_pose', *TERMS] and all(losses[name] > 0 for name in TERMS)
    total, _ = model.parse_losses(losses)
    total.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []
    assert not any(p.requires_grad or p.grad is not None for p in teacher_of(model).parameters())


def test_each_term_can_be_switched_off(student_of):
    for name in TERMS:
        model = student_of({**TERMS, name: None}).train()
        assert set(TERMS) - set(model(*heatmap_batch(), mode='loss')) == {name}


def test_adapters_are_training_only(student_of):
    """In the optimizer and in a training's checkpoint, but no part of what is deployed."""
    model, plain = student_of(), MODELS.build(STUDENT)
    difference = compare(plain, model.state_dict())
    adapters = {
        f'distiller.terms.{term}.adapter.{name}': shape
        for term, channels in (('loss_feature', (64, 32)), ('loss_deconv', (6, 4)))
        for name, shape in (('weight', (*channels, 1, 1)), ('bias', channels[:1]))
    }
    assert difference.unexpected == adapters and not difference.missing and not difference.misshaped
    trained = {id(parameter) for parameter in model.parameters()}
    assert all(id(parameter) in trained for parameter in model.distiller.parameters())
    assert count_parameters(model, training=False) == count_parameters(plain, training=True)
    extra = 64 * 32 + 64 + 6 * 4 + 6
    assert count_parameters(model, training=True) == count_parameters(plain, training=True) + extra


def test_checkpoint_fits_training_and_testing(student_of):
    """Testing builds the adapters but needs no teacher, and predicts what the student alone predicts."""
    model, images = student_of().eval(), heatmap_batch()[0]
    tested = MODELS.build(
        dict(STUDENT, distiller=dict(type='TeacherDistiller', teacher='nowhere.py', checkpoint=None, terms=TERMS))
    ).eval()
    tested.load_state_dict(model.state_dict(), strict=True)
    alone = MODELS.build(STUDENT).eval()
    alone.load_state_dict(
        {key: value for key, value in model.state_dict().items() if not key.startswith('distiller.')}, strict=True
    )
    assert_close(tested(images, None, mode='tensor'), alone(images, None, mode='tensor'), rtol=0, atol=0)


def test_terms_are_zero_for_a_student_that_equals_its_teacher(student_of):
    terms = {
        **TERMS,
        'loss_feature': dict(type='FeatureMSELoss', on='backbone'),
        'loss_deconv': dict(type='FeatureMSELoss', on='deconv'),
    }
    model = student_of(terms, student=simple_baseline(8, 6)).eval()
    weights = teacher_of(model).state_dict()
    model.load_state_dict(weights, strict=True)
    losses = model(*heatmap_batch(), mode='loss')
    assert {name: losses[name].item() for name in TERMS} == {name: pytest.approx(0, abs=1e-10) for name in TERMS}


def test_terms_by_hand(student_of):
    """Each value is read where its name says."""
    model = student_of().eval()
    images, samples = heatmap_batch()
    losses, teacher, head = model(images, samples, mode='loss'), teacher_of(model), model.head
    maps, taught = model.backbone(images)[-1], teacher.backbone(images)[-1]
    assert maps.shape == (3, 32, 2, 2) and taught.shape == (3, 64, 2, 2)
    adapters = model.distiller.terms
    expected = (adapters['loss_feature'].adapter(maps) - taught).square().mean()
    assert_close(losses['loss_feature'], expected)
    deconv, taught = head.deconv_layers(maps), teacher.head.deconv_layers(taught)
    assert_close(losses['loss_deconv'], (adapters['loss_deconv'].adapter(deconv) - taught).square().mean())
    expected = (head.final_layer(deconv) - teacher.head.final_layer(taught)).square().mean()
    assert_close(losses['loss_logit'], 0.5 * expected)


def test_batch_norms_see_a_batch_once(student_of):
    """The head runs again for the distiller; its running statistics must not notice."""
    model, images, samples = student_of().train(), *heatmap_batch()
    plain = MODELS.build(STUDENT)
    plain.load_state_dict(model.state_dict(), strict=False)
    plain.train()(images, samples, mode='loss')
    model(images, samples, mode='loss')
    ours = model.state_dict()
    for name, value in plain.state_dict().items():
        if 'running' in name:
            assert_close(ours[name], value)
    assert {norm.momentum for norm in model.modules() if isinstance(norm, torch.nn.BatchNorm2d)} == {0.1}


def test_stock_hrnet_teacher(student_of):
    """MMPose's HRNet has one map of a quarter of the image, and no deconvolution behind it."""
    terms = {
        **TERMS,
        'loss_feature': None,
        'loss_attention': None,
        'loss_deconv': dict(type='FeatureMSELoss', on='deconv', student_channels=4, teacher_channels=4),
    }
    losses = student_of(terms, HRNET).train()(*heatmap_batch(), mode='loss')
    assert all(losses[name] > 0 for name in ('loss_logit', 'loss_deconv', 'loss_structure', 'loss_limb'))


def test_earlier_stages(student_of):
    """With out_indices a backbone returns several maps; the head still reads the last."""
    terms = dict(
        loss_early=dict(type='FeatureMSELoss', on='backbone1', student_channels=16, teacher_channels=32),
        loss_late=dict(type='AttentionTransferLoss', on='backbone'),
    )
    student = simple_baseline(4, 4, out_indices=(0, 2, 3))
    teacher = dict(simple_baseline(8, 6, out_indices=(0, 2, 3)), type='TopdownPoseEstimator')
    model = student_of(terms, teacher, student).eval()
    images, samples = heatmap_batch()
    losses = model(images, samples, mode='loss')
    maps, taught = model.backbone(images), teacher_of(model).backbone(images)
    expected = (model.distiller.terms['loss_early'].adapter(maps[1]) - taught[1]).square().mean()
    assert maps[1].shape == (3, 16, 4, 4)
    assert_close(losses['loss_early'], expected)
    assert_close(losses['loss_late'], model.distiller.terms['loss_late'](maps[2], taught[2]))


def test_what_a_model_lacks_is_said(student_of):
    cases = [
        (dict(type='FeatureMSELoss', on='backbone1'), TEACHER, 'map 1, counted from 0, but the backbone returns 1'),
        (dict(type='TokenMSELoss', on='query'), TEACHER, 'has no tokens: set the terms'),
        (
            dict(type='FeatureMSELoss', on='backbone', student_channels=32, teacher_channels=4),
            HRNET,
            r"terms.loss_x, on='backbone': feature maps .*\(3, 32, 2, 2\) and \(3, 4, 16, 16\)",
        ),
    ]
    for term, teacher, message in cases:
        with pytest.raises(ConfigError, match=message):
            student_of(dict(loss_x=term), teacher)(*heatmap_batch(), mode='loss')
    tokens = dict(
        type='DistillPoseEstimator',
        data_preprocessor=TEACHER['data_preprocessor'],
        backbone=dict(type='StemNet', stem_channels=4, num_blocks=1),
        neck=dict(
            type='MultiCycledTransformer',
            in_channels=16,
            feature_size=(16, 16),
            patch_size=(4, 4),
            num_queries=5,
            dim=16,
            depth=1,
            num_heads=2,
        ),
        head=dict(type='TokenPoseHead', in_channels=16, decoder=CODEC),
    )
    with pytest.raises(ConfigError, match='on="deconv" needs the HeatmapHead of MMPose .*, not TokenPoseHead'):
        student_of(dict(loss_x=TERMS['loss_deconv']), student=tokens)(*heatmap_batch(), mode='loss')
