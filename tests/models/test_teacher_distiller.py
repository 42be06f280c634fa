"""Distillation from a frozen teacher: DistilPose's losses, what a teacher is kept out of, and what goes wrong."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from released_layout import token_weights
from small_models import stock_hrnet, teacher_of, write_teacher
from torch.testing import assert_close

from sdpose.config.find import find_config
from sdpose.errors import ConfigError, MismatchError
from sdpose.models.distillers.input_spec import InputSpec
from sdpose.models.heads.token_reg_head import PoseRegression

HEATMAP = dict(type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1)
LABEL = dict(type='RegressionLabel', input_size=(48, 64))
TERMS = dict(
    loss_query=dict(type='TokenMSELoss', on='query', loss_weight=5e-4),
    loss_visual=dict(type='TokenMSELoss', on='visual', loss_weight=5e-4),
    loss_simulated=dict(type='SimulatedHeatmapLoss', on='prediction'),
    loss_score=dict(type='ScoreLoss', on='prediction', loss_weight=0.01),
)


def token_model(head, feature_size=(12, 16), patch_size=(3, 4)):
    return dict(
        type='DistillPoseEstimator',
        data_preprocessor=dict(type='PoseDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3),
        backbone=dict(type='StemNet', stem_channels=4, num_blocks=1),
        neck=dict(
            type='MultiCycledTransformer',
            in_channels=16,
            feature_size=feature_size,
            patch_size=patch_size,
            num_queries=5,
            dim=16,
            depth=2,
            num_heads=2,
        ),
        head=head,
    )


TOKEN_TEACHER = token_model(dict(type='TokenPoseHead', in_channels=16, decoder=HEATMAP))
STOCK_TEACHER = stock_hrnet(HEATMAP)


@pytest.fixture
def teacher_files(tmp_path):
    """Writes a config and a random checkpoint of a teacher; returns both paths."""

    def write(model):
        files = write_teacher(tmp_path, model)
        return files['teacher'], files['checkpoint']

    return write


def student(config, checkpoint, terms=TERMS, data_preprocessor=None, **head):
    torch.manual_seed(0)
    head = dict(type='TokenRegHead', in_channels=16, mode='all', decoder=LABEL) | head
    model = dict(
        token_model(head), distiller=dict(type='TeacherDistiller', teacher=config, checkpoint=checkpoint, terms=terms)
    )
    if data_preprocessor is not None:
        model['data_preprocessor'] = data_preprocessor
    return MODELS.build(model)


def batch(joints=5):
    torch.manual_seed(2)
    samples = []
    for _ in range(3):
        sample = PoseDataSample(metainfo=dict(flip_indices=list(range(joints))))
        sample.gt_instance_labels = InstanceData(
            keypoint_labels=torch.rand(1, joints, 2), keypoint_weights=(torch.rand(1, joints) > 0.3).float()
        )
        samples.append(sample)
    return torch.randn(3, 3, 64, 48), samples


def test_distilpose_trains_on_all_its_terms(teacher_files):
    model = student(*teacher_files(TOKEN_TEACHER)).train()
    losses = model(*batch(), mode='loss')
    assert list(losses) == ['loss_kpt', 'acc_pose', *TERMS]
    total, _ = model.parse_losses(losses)
    total.backward()
    assert all(losses[name] > 0 for name in TERMS)
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_teacher_is_frozen_and_kept_out_of_the_student(teacher_files):
    model = student(*teacher_files(TOKEN_TEACHER))
    plain = MODELS.build(token_model(dict(type='TokenRegHead', in_channels=16, mode='all', decoder=LABEL)))
    model.init_weights()
    assert model.state_dict().keys() == plain.state_dict().keys()
    teacher = teacher_of(model)
    owned = {id(parameter) for parameter in model.parameters()}
    assert owned.isdisjoint(id(parameter) for parameter in teacher.parameters())
    before = {key: value.clone() for key, value in teacher.state_dict().items()}
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    sum(value for name, value in model(*batch(), mode='loss').items() if name.startswith('loss_')).backward()
    optimizer.step()
    assert not teacher.training and not any(p.requires_grad or p.grad is not None for p in teacher.parameters())
    assert all(torch.equal(value, before[key]) for key, value in teacher.state_dict().items())


def test_terms_are_zero_for_a_student_that_equals_its_teacher(teacher_files):
    config, checkpoint = teacher_files(TOKEN_TEACHER)
    model = MODELS.build(
        dict(
            TOKEN_TEACHER,
            distiller=dict(
                type='TeacherDistiller',
                teacher=config,
                checkpoint=checkpoint,
                terms=dict(
                    loss_query=dict(type='TokenMSELoss', on='query'),
                    loss_logit=dict(type='TokenMSELoss', on='prediction'),
                ),
            ),
        )
    )
    images, samples = batch()
    model.load_state_dict(torch.load(checkpoint)['state_dict'])
    model.eval()
    terms = model.distiller.losses(*model.distiller.run(model, images), samples)
    assert {name: value.item() for name, value in terms.items()} == dict(loss_query=0, loss_logit=0)


def test_any_heatmap_teacher(teacher_files):
    """A stock HRNet, which wants sizes that 32 divides."""
    config, checkpoint = teacher_files(STOCK_TEACHER)
    terms = {name: term for name, term in TERMS.items() if term['on'] == 'prediction'}
    head = dict(type='TokenRegHead', in_channels=16, mode='all', decoder=LABEL)
    model = MODELS.build(
        dict(
            token_model(head, feature_size=(16, 16), patch_size=(4, 4)),
            distiller=dict(type='TeacherDistiller', teacher=config, checkpoint=checkpoint, terms=terms),
        )
    ).train()
    losses = model(torch.randn(3, 3, 64, 64), batch()[1], mode='loss')
    assert losses['loss_simulated'] > 0 and losses['loss_score'] > 0


STOCK = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_mobilenetv2_8xb64-210e_coco-256x192.py'


@pytest.mark.parametrize('inherited', [False, True], ids=['by name', 'by a config that inherits it'])
def test_mmposes_own_config_teaches(tmp_path, inherited):
    init_default_scope('mmpose')
    torch.manual_seed(1)
    weights = MODELS.build(Config.fromfile(find_config(STOCK)).model).state_dict()
    torch.save(dict(state_dict=weights), tmp_path / 'stock.pth')
    (tmp_path / 'stock.py').write_text(f"_base_ = '{STOCK}'\nmodel = dict(test_cfg=dict(flip_test=False))\n")
    terms = {name: term for name, term in TERMS.items() if term['on'] == 'prediction'}
    head = dict(type='TokenRegHead', in_channels=16, mode='all', decoder=LABEL)
    model = token_model(head, feature_size=(16, 16), patch_size=(4, 4))
    model['neck']['num_queries'] = 17
    model['data_preprocessor'] = Config.fromfile(find_config(STOCK)).model.data_preprocessor
    distiller = dict(
        type='TeacherDistiller',
        teacher=str(tmp_path / 'stock.py') if inherited else STOCK,
        checkpoint=str(tmp_path / 'stock.pth'),
        terms=terms,
    )
    losses = MODELS.build(dict(model, distiller=distiller)).train()(
        torch.randn(3, 3, 64, 64), batch(17)[1], mode='loss'
    )
    assert losses['loss_simulated'] > 0 and losses['loss_score'] > 0


def test_teacher_of_the_package_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = 'configs/quick_start/tokenpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'
    torch.manual_seed(1)
    init_default_scope('mmpose')
    model = Config.fromfile(find_config(name)).model
    weights = MODELS.build(model).state_dict()
    torch.save(dict(state_dict=weights), tmp_path / 'teacher.pth')
    distiller = dict(type='TeacherDistiller', teacher=name, checkpoint='teacher.pth', terms=TERMS)
    teacher = teacher_of(MODELS.build(dict(model, type='DistillPoseEstimator', distiller=distiller)))
    assert all(torch.equal(value, weights[key]) for key, value in teacher.state_dict().items())


@pytest.mark.parity
def test_released_total_and_gradients(load_fixture, distilpose_student, folder):
    """The token terms and the two prediction terms on the released student, against the released total."""
    fixture = load_fixture('distilpose_all_onelayer', folder)
    model, feats = distilpose_student(fixture)
    head = model['head']
    terms = dict(TERMS, loss_simulated=dict(TERMS['loss_simulated'], weighting='released'))
    distiller = MODELS.build(dict(type='TeacherDistiller', teacher='', checkpoint='', terms=terms))
    weight = fixture['target_weight'][..., 0]
    values = dict(query=feats.output.query, visual=feats.output.visual, prediction=head(feats))
    taught = dict(
        query=fixture['teacher/kpt_token'], visual=fixture['teacher/vis_token'], prediction=fixture['teacher/heatmap']
    )
    losses = distiller.compare(values.__getitem__, taught.__getitem__, weight)
    losses['loss_kpt'] = head.loss_of(head.cycle_outputs(feats)[0], (fixture['target'], weight))
    names = dict(
        loss_query='kpt_dist_loss',
        loss_visual='vis_dist_loss',
        loss_simulated='reg2hm_loss',
        loss_score='score_loss',
        loss_kpt='reg_loss',
    )
    for name, released in names.items():
        assert_close(losses[name].detach().double(), fixture[f'loss/{released}'], rtol=1e-4, atol=1e-9)
    total = sum(losses.values())
    assert_close(total.detach().double(), fixture['loss/total'], rtol=1e-4, atol=1e-9)
    total.backward()
    gradients = token_weights(fixture.below('grad/total/'), (3, 4))
    assert len(gradients) >= 2
    for name, parameter in model.named_parameters():
        if name in gradients:
            expected = gradients.pop(name)
            assert_close(parameter.grad, expected, rtol=1e-3, atol=1e-5 * expected.abs().max().item())
    assert not gradients


def test_bad_input(teacher_files, tmp_path):
    config, checkpoint = teacher_files(TOKEN_TEACHER)
    with pytest.raises(ConfigError, match="cannot be found: set model.distiller.teacher. No config 'nowhere.py'"):
        student('nowhere.py', checkpoint).init_weights()
    with pytest.raises(ConfigError, match='a teacher needs its weights. Train .*teacher.py and set'):
        student(config, None).init_weights()
    with pytest.raises(MismatchError, match='(?s)checkpoint gone.pth cannot be loaded.*Train .*teacher.py and set'):
        student(config, 'gone.pth').init_weights()
    torch.save(MODELS.build(dict(type='StemNet')).state_dict(), tmp_path / 'other.pth')
    with pytest.raises(MismatchError, match=r'(?s)other.pth does not fit the model.*missing +backbone.conv1.weight'):
        student(config, str(tmp_path / 'other.pth')).init_weights()
    config, checkpoint = teacher_files(STOCK_TEACHER)
    with pytest.raises(ConfigError, match='has no tokens: set the terms of model.distiller'):
        student(config, checkpoint).init_weights()
    with pytest.raises(ValueError, match="on='heatmap'; choose one of query, visual, .*prediction"):
        student(config, checkpoint, terms=dict(loss_x=dict(type='TokenMSELoss', on='heatmap')))


def test_a_teacher_of_other_joints_is_refused(teacher_files):
    other = dict(TOKEN_TEACHER, neck=dict(TOKEN_TEACHER['neck'], num_queries=4))
    with pytest.raises(ConfigError, match='teacher.py has 4 joints and the student 5: choose a teacher of the same'):
        student(*teacher_files(other)).init_weights()
    other = dict(STOCK_TEACHER, head=dict(STOCK_TEACHER['head'], out_channels=6))
    terms = {name: term for name, term in TERMS.items() if term['on'] == 'prediction'}
    with pytest.raises(ConfigError, match='teacher.py has 6 joints and the student 5'):
        student(*teacher_files(other), terms=terms).init_weights()


@pytest.mark.parametrize(
    'theirs',
    [
        dict(mean=[0.0] * 3, std=[1.0] * 3, bgr_to_rgb=True),
        dict(mean=[100.0, 110.0, 120.0], std=[50.0, 60.0, 70.0]),
        dict(mean=[100.0, 110.0, 120.0], std=[50.0, 60.0, 70.0], bgr_to_rgb=True),
        dict(),
    ],
)
@pytest.mark.parametrize('ours', [dict(mean=[0.0] * 3, std=[1.0] * 3), dict(mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0])])
def test_a_teacher_of_another_normalization_gets_its_own_images(teacher_files, theirs, ours):
    """What it sees is what its own preprocessor makes of the pixels."""
    kind = dict(type='PoseDataPreprocessor')
    config, checkpoint = teacher_files(dict(TOKEN_TEACHER, data_preprocessor=dict(kind, **theirs)))
    model = student(config, checkpoint, data_preprocessor=dict(kind, **ours))
    teacher = teacher_of(model)
    pixels = [torch.randint(0, 256, (3, 64, 48), dtype=torch.uint8) for _ in range(2)]
    crops = dict(inputs=pixels, data_samples=batch()[1][:2])
    seen = {}
    hook = teacher.backbone.register_forward_pre_hook(lambda module, args: seen.update(images=args[0]))
    model.distiller.run(model, model.data_preprocessor(crops)['inputs'].float())
    hook.remove()
    expected = teacher.data_preprocessor(crops)['inputs']
    assert_close(seen['images'], expected.float(), atol=1e-3, rtol=1e-5)


def test_equal_normalization_leaves_the_images_as_they_are():
    spec, images = InputSpec((1.0,) * 3, (3.0,) * 3), torch.rand(2, 3, 4, 4)
    assert spec.convert(images, InputSpec((1.0,) * 3, (3.0,) * 3)) is images


def test_the_head_runs_once_in_a_step(teacher_files):
    model = student(*teacher_files(TOKEN_TEACHER)).train()
    calls = []
    hook = model.head.mlp.register_forward_hook(lambda *_: calls.append(1))
    model(*batch(), mode='loss')
    hook.remove()
    assert len(calls) == 1


def test_a_copy_of_the_student_shares_its_teacher(teacher_files):
    """As an EMA hook makes one; the teacher is frozen."""
    model = student(*teacher_files(TOKEN_TEACHER))
    assert copy.deepcopy(model).distiller.teacher is model.distiller.teacher


def test_a_student_is_built_without_values():
    """As from_official.py does, to compare keys and shapes alone."""
    with torch.device('meta'):
        model = student('nowhere.py', None)
    assert all(value.is_meta for value in model.state_dict().values())
    assert not any('teacher' in name for name, _ in model.named_modules())


def test_testing_needs_no_teacher():
    model = student('nowhere.py', None).eval()
    regression = model(batch()[0], batch()[1], mode='tensor')
    assert isinstance(regression, PoseRegression) and regression.coords.shape == (3, 5, 2)
