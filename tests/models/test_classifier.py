"""Classification: head, loss, preprocessor, stochastic depth and the three configs of Table 9."""

from pathlib import Path

import pytest
import torch
from mmcv.cnn.bricks import DropPath
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import nn
from torch.testing import assert_close

from sdpose.apis.complexity import complexity
from sdpose.config.load import load_config
from sdpose.errors import ConfigError
from sdpose.models import TransformerLayer
from sdpose.structures import ClassSample

IMAGENET = Path(__file__).parents[2] / 'configs/classification/imagenet'
IMAGE = torch.arange(4 * 3 * 8 * 8).float().sin().view(4, 3, 8, 8)


MODEL = dict(
    type='DistillClassifier',
    data_preprocessor=dict(type='ClassDataPreprocessor', num_classes=5),
    neck=dict(
        type='MultiCycledTransformer',
        in_channels=3,
        feature_size=(8, 8),
        patch_size=(4, 4),
        num_queries=1,
        dim=16,
        depth=2,
        num_heads=2,
        position='learnable',
        qkv_bias=True,
    ),
    head=dict(type='TokenClsHead', in_channels=16, num_classes=5),
)


def build(num_cycles=1, test_cycles=1, supervise='all', distiller=None, **neck):
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            MODEL,
            neck=dict(MODEL['neck'], num_cycles=num_cycles, test_cycles=test_cycles, **neck),
            head=dict(MODEL['head'], supervise=supervise),
            distiller=distiller,
        )
    )
    model.init_weights()
    return model


def samples(labels, num_classes=5):
    made = []
    for label in labels:
        sample = ClassSample(gt_label=torch.tensor(label))
        sample.gt_score = torch.eye(num_classes)[label]
        made.append(sample)
    return made


def distiller(weight):
    return dict(
        type='SelfDistiller',
        terms=dict(
            loss_query=dict(type='TokenMSELoss', on='query', loss_weight=weight),
            loss_visual=dict(type='TokenMSELoss', on='visual', loss_weight=weight),
        ),
    )


def test_terms_of_each_row_of_table_9():
    targets = samples([0, 1, 2, 3])
    assert set(build().loss(IMAGE, targets)) == {'loss_cls', 'acc_top1'}
    last = build(num_cycles=2, test_cycles=2, supervise='last').loss(IMAGE, targets)
    assert set(last) == {'loss_cls_cycle2', 'acc_top1'}
    taught = build(num_cycles=2, distiller=distiller(1.0))
    losses = taught.loss(IMAGE, targets)
    assert set(losses) == {'loss_cls_cycle1', 'loss_cls_cycle2', 'loss_query', 'loss_visual', 'acc_top1'}
    first, second = taught.extract_feat(IMAGE).cycles
    assert_close(losses['loss_query'], (first.query - second.query).square().mean())
    assert_close(losses['loss_visual'], (first.visual - second.visual).square().mean())
    for cycle, tokens in enumerate((first, second), 1):
        normed = nn.functional.layer_norm(tokens.sequence[:, 0], (16,))
        logits = normed @ taught.head.fc.weight.T + taught.head.fc.bias
        assert_close(losses[f'loss_cls_cycle{cycle}'], nn.functional.cross_entropy(logits, torch.arange(4)))


def test_a_frozen_classifier_teaches(tmp_path):
    teacher = build()
    Config(dict(model=dict(MODEL))).dump(tmp_path / 'teacher.py')
    torch.save(teacher.state_dict(), tmp_path / 'teacher.pth')
    model = build(
        distiller=dict(
            distiller(1.0),
            type='TeacherDistiller',
            teacher=str(tmp_path / 'teacher.py'),
            checkpoint=str(tmp_path / 'teacher.pth'),
        )
    ).eval()
    losses = model.loss(IMAGE, samples([0, 1, 2, 3]))
    assert (losses['loss_query'], losses['loss_visual']) == (0, 0)
    model.neck.tokenizer.position.data += 1.0
    losses = model.loss(IMAGE, samples([0, 1, 2, 3]))
    first, second = model.extract_feat(IMAGE).output, teacher.eval().extract_feat(IMAGE).output
    assert_close(losses['loss_visual'], (first.visual - second.visual).square().mean())


def test_the_deployed_cycle_costs_and_says_the_same_in_training_and_eval():
    plain, taught = build(), build(num_cycles=2, distiller=distiller(1.0))
    plain.load_state_dict(taught.state_dict(), strict=True)
    assert torch.equal(plain.eval()(IMAGE), taught.eval()(IMAGE))
    assert_close(taught.train()(IMAGE), taught.eval()(IMAGE))
    twice = build(num_cycles=2, test_cycles=2)
    twice.load_state_dict(taught.state_dict(), strict=True)
    assert_close(twice.eval()(IMAGE), taught.head.outputs(taught.train().extract_feat(IMAGE).cycles[1].query))
    assert not torch.allclose(twice(IMAGE), plain(IMAGE))


def test_prediction_is_the_softmax_and_leaves_other_cycles_alone():
    model = build(num_cycles=2).eval()
    with torch.no_grad():
        given = samples([0, 1, 2, 3])
        cycles = model.predict_cycles(IMAGE, given)
        assert not hasattr(given[0], 'pred_score')
        predicted = model.predict(IMAGE, given)
        logits = model(IMAGE)
    assert_close(torch.stack([sample.pred_score for sample in predicted]), logits.softmax(-1))
    assert_close(torch.stack([sample.pred_score for sample in cycles[0]]), logits.softmax(-1))
    assert not torch.allclose(cycles[1][0].pred_score, cycles[0][0].pred_score)


def test_training_accuracy_by_hand():
    model = build()
    nn.init.zeros_(model.head.fc.weight)
    model.head.fc.bias.data = torch.tensor([0.0, 3.0, 1.0, 0.0, 0.0])  # always class 1
    losses = model.loss(IMAGE, samples([1, 1, 2, 1]))
    assert losses['acc_top1'].item() == 0.75
    assert 'acc_top1' not in model.head.loss(model.extract_feat(IMAGE), samples([0] * 4), dict(compute_acc=False))


def test_soft_cross_entropy_by_hand():
    loss = MODELS.build(dict(type='SoftCrossEntropyLoss', label_smoothing=0.1, loss_weight=2.0))
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]))
    target = torch.tensor([[0.7, 0.3, 0.0], [0.0, 0.0, 1.0]])
    smooth = 0.9 * target + 0.1 / 3
    assert_close(loss(logits, target), -2 * (smooth * logits).sum() / 2)
    # At equality it is the entropy of the target: zero for a certain class.
    certain = MODELS.build(dict(type='SoftCrossEntropyLoss'))
    assert certain(torch.tensor([[50.0, 0.0, 0.0]]), torch.tensor([[1.0, 0.0, 0.0]])).item() == 0
    with pytest.raises(ValueError, match='num_classes of the head and of the data set differ'):
        certain(torch.zeros(2, 3), torch.zeros(2, 4))


@pytest.mark.parametrize('mixing', ['MixUp', 'CutMix'])
def test_images_and_targets_are_mixed_alike(mixing):
    """Each image is filled with its label, so the mean of a mixed image is the mean of its labels."""
    torch.manual_seed(1)
    preprocessor = MODELS.build(
        dict(type='ClassDataPreprocessor', num_classes=4, mixing=[dict(type=f'torchvision/{mixing}', alpha=1.0)])
    )
    batch = dict(
        inputs=[torch.full((3, 16, 16), float(label)) for label in (0, 1, 2, 3)],
        data_samples=[ClassSample(gt_label=torch.tensor(label)) for label in (0, 1, 2, 3)],
    )
    done = preprocessor(batch, training=True)
    scores = torch.stack([sample.gt_score for sample in done['data_samples']])
    assert_close(scores.sum(1), torch.ones(4))
    assert_close(done['inputs'].mean((1, 2, 3)), scores @ torch.arange(4.0), atol=1e-4, rtol=1e-4)
    assert (scores.amax(1) < 1).any()
    assert (scores > 0).sum() <= 8  # two labels each
    plain = preprocessor(batch, training=False)
    assert torch.equal(torch.stack([sample.gt_score for sample in plain['data_samples']]), torch.eye(4))


def test_mixing_pairs_other_images_than_neighbours():
    """Repeated augmentation puts copies of an image side by side; mixed with each other they would stay pure."""
    torch.manual_seed(0)
    preprocessor = MODELS.build(
        dict(type='ClassDataPreprocessor', num_classes=4, mixing=[dict(type='torchvision/MixUp', alpha=10.0)])
    )
    batch = dict(
        inputs=[torch.zeros(3, 4, 4)] * 12,
        data_samples=[ClassSample(gt_label=torch.tensor(label)) for label in (0, 1, 2, 3) for _ in range(3)],
    )
    pure = [
        int((torch.stack([s.gt_score for s in preprocessor(batch, training=True)['data_samples']]) == 1).sum())
        for _ in range(20)
    ]
    assert sum(pure) < 0.4 * 12 * 20  # 2 / 11 of the pairs by chance; 2 / 3 between neighbours


def test_images_of_two_sizes_are_refused():
    preprocessor = MODELS.build(dict(type='ClassDataPreprocessor', num_classes=4))
    batch = dict(inputs=[torch.zeros(3, 4, 6), torch.zeros(3, 4, 5)], data_samples=samples([0, 1]))
    with pytest.raises(ConfigError, match=r'sizes \(h, w\) \(4, 5\), \(4, 6\): the pipeline .* must crop them'):
        preprocessor(batch)


def test_drop_path_is_off_by_default_and_grows_with_depth():
    assert all(isinstance(layer.drop_path, nn.Identity) for layer in build().neck.layers)
    neck = build(drop_path=0.1).neck
    assert isinstance(neck.layers[0].drop_path, nn.Identity)
    assert neck.layers[1].drop_path.drop_prob == 0.1
    deit = load_config(IMAGENET / 'deit-tiny_8xb128-300e_imagenet-224x224.py').model
    rates = [getattr(layer.drop_path, 'drop_prob', 0.0) for layer in MODELS.build(deit).neck.layers]
    assert rates == pytest.approx([0.1 * index / 11 for index in range(12)])
    with pytest.raises(ValueError, match=r'drop_path must lie in \[0, 1\), got 1'):
        build(drop_path=1.0)


def test_drop_path_skips_whole_samples_in_training_only():
    torch.manual_seed(0)
    layer = TransformerLayer(16, 2, drop_path=0.5)
    assert isinstance(layer.drop_path, DropPath)
    x = torch.randn(64, 5, 16)
    update = layer.eval().feed(x) - x
    dropped = layer.train().feed(x) - x
    skipped = (dropped == 0).all(dim=(1, 2))
    assert 16 < int(skipped.sum()) < 48
    assert_close(dropped[~skipped], 2 * update[~skipped], atol=1e-5, rtol=1e-4)


def test_several_query_tokens_and_unknown_modes_are_refused():
    model = build()
    with pytest.raises(ValueError, match='reads one class token, but the neck has num_queries=2'):
        model.head.outputs(torch.zeros(4, 2, 16))
    with pytest.raises(ValueError, match="mode='train' is unknown"):
        model(IMAGE, mode='train')
    with pytest.raises(ValueError, match='at least one class, got num_classes=0'):
        MODELS.build(dict(type='TokenClsHead', in_channels=16, num_classes=0))
    with pytest.raises(ValueError, match='one query token, the class token, but model.neck.num_queries is 2'):
        build(num_queries=2)
    with pytest.raises(ValueError, match='self-distillation needs a later cycle'):
        build(distiller=distiller(1.0))


@pytest.mark.parametrize('name, passes', [('deit-tiny', 1), ('deit-tiny-2cycles', 2), ('sdpose-deit-tiny', 1)])
def test_counts_by_hand(name, passes):
    """5,717,416 parameters, and the multiply-adds of one pass or two."""
    init_default_scope('mmpose')
    counts = complexity(load_config(IMAGENET / f'{name}_8xb128-300e_imagenet-224x224.py'))
    tokens, dim, hidden = 197, 192, 768
    layer = 2 * 2 * dim + (dim + 1) * 3 * dim + (dim + 1) * dim + (dim + 1) * hidden + (hidden + 1) * dim
    params = (16 * 16 * 3 + 1) * dim + dim + tokens * dim + 12 * layer + 2 * dim + (dim + 1) * 1000
    assert params == 5_717_416
    assert counts['inference']['params'] == counts['training']['params'] == params
    cycle = 12 * (tokens * (4 * dim * dim + 2 * dim * hidden) + 2 * tokens * tokens * dim)
    assert counts['inference']['macs'] == 196 * 768 * dim + passes * cycle + dim * 1000
