"""Every config: builds, trains every parameter, and has the counts of its row in the table."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS, METRICS, MODELS
from tasks import Classes, Pose, give_untrained_teacher, task_of

from sdpose.apis.complexity import complexity
from sdpose.config.load import load_config
from sdpose.config.nodes import as_list

CONFIGS = Path(__file__).parents[2] / 'configs'
LEAVES = sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
# Trainable parameters, multiply-adds in the published convention and true ones (G), of the deployed single pass.
TABLE = {
    'sdpose/coco/sdpose-t_stemnet_8xb64-300e_coco-256x192': (4398528, 1.7988, 1.9506),
    'sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-256x192': (6620736, 2.4039, 2.7261),
    # 576 visual tokens, a head of 864 hidden and 6,912 outputs; 320 positions of 192 more are fixed, not trained.
    'sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-384x288': (11510496, 5.3710, 6.9438),
    'sdpose/coco/sdpose-s-v2_stemnet_8xb24-300e_coco-256x192': (6227520, 4.6735, 7.4872),
    'sdpose/coco/sdpose-b_hrnet-w32_8xb32-300e_coco-256x192': (13145984, 5.1643, 5.4707),
    'sdpose/coco/sdpose-b_hrnet-w32-stage1-64_8xb32-300e_coco-256x192': (13465216, 5.9775, 6.2761),
    'sdpose/coco/sdpose-s-v1-recipes_stemnet_8xb64-420e_coco-256x192': (6620736, 2.4039, 2.7261),
    'tokenpose/coco/tokenpose-s-v1_stemnet_8xb64-300e_coco-256x192': (6620736, 2.4039, 2.7261),
    'tokenpose/coco/tokenpose-s-v2_stemnet_8xb64-300e_coco-256x192': (6227520, 4.6735, 7.4872),
    'tokenpose/coco/tokenpose-b_hrnet-w32_8xb64-300e_coco-256x192': (13145984, 5.1643, 5.4707),
    'tokenpose/coco/tokenpose-b_hrnet-w32-stage1-64_8xb64-300e_coco-256x192': (13465216, 5.9775, 6.2761),
    'sdpose/coco/sdpose-s-v1-ppt_stemnet_8xb64-300e_coco-256x192': (6620736, 2.0152, 2.1862),
    'ppt/coco/ppt-s_stemnet_8xb64-300e_coco-256x192': (6620736, 2.0152, 2.1862),
    'ppt/coco/ppt-b_hrnet-w32_8xb64-300e_coco-256x192': (13145984, 4.7756, 4.9308),
    'sdpose/coco/sptpose-b_hrnet-w32_8xb32-300e_coco-256x192': (13145984, 4.7756, 4.9308),
    'sdpose/coco/sdpose-reg_stemnet_8xb64-300e_coco-256x192': (5363908, 2.3826, 2.7048),
    'tokenpose/coco/tokenpose-reg_stemnet_8xb64-300e_coco-256x192': (5363522, 2.3826, 2.7048),
    # S-V1 whose head of 1,257,984 parameters gives way to a norm and 193 for each of 384 + 512 cells: 173,312.
    'sdpose/coco/sdpose-s-simcc_stemnet_8xb64-300e_coco-256x192': (5536064, 2.3855, 2.7077),
    'tokenpose/coco/tokenpose-s-simcc_stemnet_8xb64-300e_coco-256x192': (5536064, 2.3855, 2.7077),
    'distilpose/coco/distilpose-s_stemnet_8xb32-300e_coco-256x192': (5364101, 2.3826, 2.7048),
    'distilpose/coco/distilpose-l_hrnet-w48_8xb32-300e_coco-256x192': (21265637, 10.3252, 10.6120),
    'distilpose/coco/tokenpose-l_hrnet-w48-4stage_8xb64-300e_coco-256x192': (69411360, 17.0282, 17.2900),
    # S-V1 with 9 tokens instead of 17: 8 x 192 parameters less; 12 layers and the head 5,677,056 per token, attention
    # 12 x 2 x 192 x (273^2 - 265^2).
    'sdpose/custom/sdpose-s-v1_stemnet_8xb64-300e_custom-256x192': (6619200, 2.3584, 2.6608),
    'sdpose/synthetic/sdpose-s-v1_stemnet_1xb256-10e_synthetic-256x192': (6620736, 2.4039, 2.7261),
    'quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48': (79408, 0.0055, 0.00586),
    'quick_start/sdpose-udp-tiny_stemnet_1xb32-30e_synthetic-64x48': (79408, 0.0055, 0.00586),
    'quick_start/sdpose-augmented-tiny_stemnet_1xb32-30e_synthetic-64x48': (79408, 0.0055, 0.00586),
    'quick_start/sdpose-averaged-tiny_stemnet_1xb32-30e_synthetic-64x48': (79408, 0.0055, 0.00586),
    'quick_start/sdpose-elt-tiny_stemnet_1xb32-30e_synthetic-64x48': (79408, 0.0055, 0.00586),
    'quick_start/sdpose-relaxed-tiny_stemnet_1xb32-30e_synthetic-64x48': (79408, 0.0055, 0.00586),
    # A norm (128) and 65 parameters more.
    'quick_start/sdpose-visibility-tiny_stemnet_1xb32-30e_synthetic-64x48': (79601, 0.0055, 0.00586),
    'quick_start/tokenpose-tiny_stemnet_1xb32-30e_synthetic-64x48': (79408, 0.0055, 0.00586),
    # The heatmap MLP (12,608 parameters) gives way to a norm and 65 parameters per output.
    'quick_start/tokenpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48': (67058, 0.0053, 0.00565),
    'quick_start/sdpose-reg-tiny_stemnet_1xb32-30e_synthetic-64x48': (67188, 0.0053, 0.00565),
    'quick_start/sdpose-reg-warm-tiny_stemnet_1xb32-30e_synthetic-64x48': (67188, 0.0053, 0.00565),
    'quick_start/distilpose-tiny_stemnet_1xb32-30e_synthetic-64x48': (67253, 0.0053, 0.00565),
    # A norm and 65 for each of 96 + 128 cells.
    'quick_start/sdpose-simcc-tiny_stemnet_1xb32-30e_synthetic-64x48': (81488, 0.0055, 0.00589),
    # Two layers more (41,536 parameters each) over 65, 51 and 41 tokens.
    'quick_start/ppt-tiny_stemnet_1xb32-30e_synthetic-64x48': (162480, 0.0087, 0.00958),
    'quick_start/evit-tiny_stemnet_1xb32-30e_synthetic-64x48': (162480, 0.0087, 0.00958),
    'quick_start/sdpose-ppt-tiny_stemnet_1xb32-30e_synthetic-64x48': (162480, 0.0087, 0.00958),
    'quick_start/sdpose-dense-tiny_stemnet_1xb32-30e_synthetic-64x48': (162480, 0.0087, 0.00958),
    # CrowdPose: three keypoint tokens of 192 numbers less than on COCO; each costs 12 layers of 368,640 multiply-adds
    # and 1,253,376 in the head, 0.0170 G together, and its rows and columns of the attention products.
    'tokenpose/crowdpose/tokenpose-s-v1_stemnet_8xb64-300e_crowdpose-256x192': (6620160, 2.3869, 2.7016),
    'tokenpose/crowdpose/tokenpose-s-v2_stemnet_8xb64-300e_crowdpose-256x192': (6226944, 4.6566, 7.4485),
    'sdpose/crowdpose/sdpose-s-v1_stemnet_8xb64-300e_crowdpose-256x192': (6620160, 2.3869, 2.7016),
    'sdpose/crowdpose/sdpose-s-v2_stemnet_8xb24-300e_crowdpose-256x192': (6226944, 4.6566, 7.4485),
    'quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-crowdpose-64x48': (79216, 0.0053, 0.0056),
    # COCO-WholeBody: 116 keypoint tokens of 192 numbers more than on COCO.
    'sdpose/wholebody/sdpose-s-v1_stemnet_8xb64-300e_coco-wholebody-256x192': (6643008, 3.0637, 3.7385),
    # 196 patches and a class token; the second row deploys both cycles. By hand in tests/models/test_classifier.py.
    'classification/imagenet/deit-tiny_8xb128-300e_imagenet-224x224': (5717416, 1.0767, 1.2537),
    'classification/imagenet/deit-tiny-2cycles_8xb128-300e_imagenet-224x224': (5717416, 2.1243, 2.4783),
    'classification/imagenet/sdpose-deit-tiny_8xb128-300e_imagenet-224x224': (5717416, 1.0767, 1.2537),
    'quick_start/sdpose-deit-mini_1xb64-30e_shapes-40x40': (81672, 0.0020, 0.00218),
    # MPII: 256 tokens of 4x4 cells and 16 queries; a head of 512 hidden and 4,096 outputs instead of 384 and 3,072.
    'tokenpose/mpii/tokenpose-s-v1_stemnet_8xb64-300e_mpii-256x256': (7760640, 2.8041, 3.1175),
    'sdpose/mpii/sdpose-s-v1_stemnet_8xb64-300e_mpii-256x256': (7760640, 2.8041, 3.1175),
    'sdpose/mpii/sdpose-s-v1_stemnet_8xb64-300e_mpii-test-256x256': (7760640, 2.8041, 3.1175),
    # AP-10K: one keypoint token of 192 numbers more.
    'sdpose/ap10k/sdpose-s-v1_stemnet_8xb64-300e_ap10k-256x256': (7760832, 2.8107, 3.1267),
    'ppt/mpii/ppt-s_stemnet_8xb64-300e_mpii-256x256': (7760640, 2.4154, 2.5783),
    'quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-mpii-64x64': (83504, 0.0070, 0.0076),
    # Not in the papers: 16,705,824 of the backbone, then the layers of the tables above.
    'tokenpose/coco/tokenpose-l-d6_hrnet-w48_8xb64-300e_coco-256x192': (20300064, 9.7415, 9.8577),
    'dppt/mpii/dppt-s_stemnet_8xb64-300e_mpii-256x256': (7760640, 2.4154, 2.5783),
    'quick_start/tokenpose-tiny_stemnet_1xb32-10e_synthetic-mpii-64x64': (166576, 0.0136, 0.0158),
    'quick_start/dppt-tiny_stemnet_1xb32-10e_synthetic-mpii-64x64': (166576, 0.0107, 0.0121),
    'quick_start/rle-tiny_res18_1xb32-10e_synthetic-64x48': (401180, 0.0140, 0.0138),
    'quick_start/simple-baseline-tiny_res18_1xb32-10e_synthetic-64x48': (506201, 0.0168, 0.0166),
    'quick_start/ikd-tiny_res18_1xb32-10e_synthetic-64x48': (197361, 0.0073, 0.0072),
    # ResNet-18, deconvolutions of 64 channels: 11,176,512 of the backbone; 512 x 64 x 16 + 2 x 64 x 64 x 16 and their
    # norms; 65 per joint.
    'ikd/coco/ikd-at_res18-narrow_8xb64-210e_coco-256x192': (11833361, 1.8767, 1.8680),
    'ikd/coco/ikd_res18-narrow_8xb64-210e_coco-256x192': (11833361, 1.8767, 1.8680),
    'ikd/coco/simple-baseline_res18-narrow_8xb64-210e_coco-256x192': (11833361, 1.8767, 1.8680),
    'ikd/mpii/ikd-at_res18-narrow_8xb64-210e_mpii-256x256': (11833296, 2.5020, 2.4904),
    'ikd/mpii/ikd_res18-narrow_8xb64-210e_mpii-256x256': (11833296, 2.5020, 2.4904),
    'ikd/mpii/simple-baseline_res18-narrow_8xb64-210e_mpii-256x256': (11833296, 2.5020, 2.4904),
    # MMPose's own models; the papers' 8.9, 12.4 and 15.7 G of SimpleBaseline are on another counting base.
    'rle/coco/rle_res50_8xb64-210e_coco-256x192': (23647364, 4.0359, 4.0039),
    'simple_baseline/coco/simple-baseline_res101_8xb64-210e_coco-256x192': (52991825, 9.1130, 9.0628),
    'simple_baseline/coco/simple-baseline_res152_8xb32-210e_coco-256x192': (68635473, 12.7680, 12.6993),
    'simple_baseline/coco/simple-baseline_res50_8xb64-210e_coco-256x192': (33999697, 5.4615, 5.4264),
    'simple_baseline/mpii/simple-baseline_res101_8xb64-210e_mpii-256x256': (52991568, 12.1496, 12.0827),
    'simple_baseline/mpii/simple-baseline_res152_8xb32-210e_mpii-256x256': (68635216, 17.0230, 16.9314),
    'simple_baseline/mpii/simple-baseline_res50_8xb64-210e_mpii-256x256': (33999440, 7.2810, 7.2341),
}


@pytest.fixture(params=LEAVES, ids=lambda path: path.stem)
def leaf(request):
    init_default_scope('mmpose')
    return request.param


def without_scope(part):
    """Without the mark that MMEngine leaves on parts of MMPose's own configs."""
    return {key: value for key, value in part.items() if key != '_scope_'}


def test_counts(leaf):
    params, published, macs = TABLE[str(leaf.relative_to(CONFIGS).with_suffix(''))]
    counts = complexity(load_config(leaf))['inference']
    assert counts['params'] == params
    assert counts['macs_published'] / 1e9 == pytest.approx(published, abs=0.002)
    assert counts['macs'] / 1e9 == pytest.approx(macs, abs=0.0005)


def test_trains_every_parameter_and_predicts(leaf):
    if leaf.stem.startswith(('simple-baseline_res101', 'simple-baseline_res152')):
        pytest.skip('a slow one: as its ResNet-50, but deeper')
    torch.manual_seed(0)
    np.random.seed(0)
    config = load_config(leaf)
    model = MODELS.build(config.model)
    give_untrained_teacher(model)
    task = task_of(config)
    # A single image of a classifier with stochastic depth might skip a layer.
    data = model.data_preprocessor(task.inputs(config, 1 if task is Pose else 4), training=True)
    losses = model.train()(**data, mode='loss')
    total, logged = model.parse_losses(losses)
    assert torch.isfinite(total) and total > 0 and task.accuracy in logged
    total.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []

    with torch.no_grad():
        samples = model.eval().test_step(task.inputs(config, batch_size=2))
    for sample in samples:
        task.check(config, sample)


def test_joint_or_class_count_is_the_data_sets(leaf):
    config = load_config(leaf)
    if task_of(config) is Classes:
        parts = config.model.head, config.model.data_preprocessor
        assert {part.num_classes for part in parts} == {config.num_classes} and config.model.neck.num_queries == 1
        return
    dataset = DATASETS.get(config.train_dataloader.dataset.type)
    metainfo = parse_pose_metainfo(config.train_dataloader.dataset.get('metainfo') or dataset.METAINFO)
    # Query tokens, the channels of a heatmap head, or the joints of a regression head.
    neck, head = config.model.get('neck', {}), config.model.head
    predicted = neck.get('num_queries') or head.get('out_channels') or head.get('num_joints')
    assert metainfo['num_keypoints'] == config.num_keypoints == predicted


@pytest.mark.parametrize('leaf', [leaf for leaf in LEAVES if 'mpii' in leaf.stem], ids=lambda path: path.stem)
def test_mpii_is_learned_from_0_and_judged_from_1(leaf):
    config = load_config(leaf)
    steps = {
        loader: [step.type for step in config[loader].dataset.pipeline].count('ZeroBasedKeypoints')
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader')
    }
    assert steps == dict(train_dataloader=1, val_dataloader=0, test_dataloader=0)
    assert config.val_evaluator.type == config.test_evaluator.type == 'MpiiMetric'


def test_the_best_checkpoint_is_chosen_by_a_metric_of_the_leaf(leaf):
    config = load_config(leaf)
    evaluator = dict(as_list(config.val_evaluator)[0])
    metric = METRICS.build(dict(evaluator, ann_file=None) if 'ann_file' in evaluator else evaluator)
    assert config.default_hooks.checkpoint.save_best.rpartition('/')[0] == (metric.prefix or '')


def test_leaf_is_short_and_uses_one_codec(leaf):
    assert len(leaf.read_text().splitlines()) <= 25
    config = load_config(leaf)
    if task_of(config) is Classes:
        assert 'codec' not in config
        return
    codec = without_scope(config.codec)
    assert without_scope(config.model.head.decoder) == codec
    pipeline = config.train_dataloader.dataset.pipeline
    encoders = [without_scope(step.encoder) for step in pipeline if 'encoder' in step]
    assert encoders == [codec]


def test_recipe_of_the_release():
    name = 'sdpose/coco/sdpose-{}-300e_coco-256x192.py'
    for leaf, batch in (
        ('t_stemnet_8xb64', 64),
        ('s-v1_stemnet_8xb64', 64),
        ('s-v2_stemnet_8xb24', 24),
        ('b_hrnet-w32_8xb32', 32),
    ):
        config = load_config(CONFIGS / name.format(leaf))
        assert config.train_dataloader.batch_size == batch
        assert config.auto_scale_lr.base_batch_size == 8 * batch
        assert config.optim_wrapper.optimizer == dict(type='Adam', lr=1e-3)
        assert config.train_cfg.max_epochs == 300 and config.train_cfg.val_interval == 10
        warm_up, steps = config.param_scheduler
        assert (warm_up.end, warm_up.start_factor, warm_up.by_epoch) == (500, 0.001, False)
        assert (steps.milestones, steps.gamma, steps.by_epoch) == ([200, 260], 0.1, True)
        assert config.codec.unbiased and config.codec.sigma == 2 and config.codec.blur_kernel_size == 11
        assert config.model.test_cfg == dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True)
        terms = config.model.distiller.terms
        assert {term.on: term.loss_weight for term in terms.values()} == dict(query=5e-6, visual=5e-6)
        assert config.model.neck.num_cycles == (3 if leaf.startswith('t_') else 2)


def test_an_sdpose_differs_from_its_tokenpose_in_training_only():
    for size in ('s-v1_stemnet', 'b_hrnet-w32', 'b_hrnet-w32-stage1-64'):
        sdpose, tokenpose = (
            load_config(next((CONFIGS / method / 'coco').glob(f'{method}-{size}_*.py')))
            for method in ('sdpose', 'tokenpose')
        )
        sdpose.model.pop('distiller')
        sdpose.model.neck.num_cycles = 1
        assert sdpose.model == tokenpose.model


def test_ikd_student_is_a_third_of_its_teacher():
    """The one checkable claim of IKD's abstract: 35 % of the parameters and of the operations."""
    (params, _, macs), (all_params, _, all_macs) = (
        TABLE[name]
        for name in (
            'ikd/coco/ikd_res18-narrow_8xb64-210e_coco-256x192',
            'simple_baseline/coco/simple-baseline_res50_8xb64-210e_coco-256x192',
        )
    )
    assert params / all_params == pytest.approx(0.348, abs=5e-4) and macs / all_macs == pytest.approx(0.344, abs=5e-4)


def test_ikd_mixes_annotation_and_teacher_by_halves():
    leaves = list((CONFIGS / 'ikd').rglob('ikd*.py'))
    assert len(leaves) == 4
    for leaf in leaves:
        model = load_config(leaf).model
        assert model.head.loss.loss_weight == model.distiller.terms.loss_logit.loss_weight == 0.5


def test_no_machine_path():
    paths = list(CONFIGS.rglob('*.py'))
    assert len(paths) > 100
    for path in paths:
        assert not any(
            line.strip().startswith(('data_root', 'ann_file')) and os.path.isabs(line.split("'")[1])
            for line in path.read_text().splitlines()
            if "'" in line
        ), path
