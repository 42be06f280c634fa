"""DPPT: traces through prunings, the attention and token terms by hand, and whole models."""

import math

import pytest
import torch
from mmpose.registry import MODELS
from small_models import heatmap_batch, teacher_of, write_teacher
from torch.testing import assert_close

from sdpose.errors import ConfigError
from sdpose.io.checkpoint import compare
from sdpose.models import JointAttentionLoss, JointTokenLoss
from sdpose.structures import LayerTrace

CODEC = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=1)
PRUNER = dict(type='TokenPruner', keep_ratio=0.5, layers=(0, 1))
TERMS = dict(
    loss_logit=dict(type='HeatmapLogitLoss', on='prediction', use_target_weight=True),
    loss_attention=dict(type='JointAttentionLoss', on='trace', loss_weight=0.01),
    loss_token=dict(type='JointTokenLoss', on='trace', layers=(0, 1, 2)),
)


def tokenpose(pruner=None, **neck):
    """Three layers over 16 patches and 5 joints."""
    return dict(
        type='DistillPoseEstimator',
        data_preprocessor=dict(type='PoseDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3),
        backbone=dict(type='StemNet', stem_channels=4, num_blocks=1),
        neck=dict(
            type='MultiCycledTransformer',
            in_channels=16,
            feature_size=(16, 16),
            patch_size=(4, 4),
            num_queries=5,
            dim=16,
            depth=3,
            num_heads=2,
            pruner=pruner,
        )
        | neck,
        head=dict(type='TokenPoseHead', in_channels=16, decoder=CODEC),
    )


@pytest.fixture
def student_of(tmp_path):
    """Builds a PPT student with a TokenPose teacher of random weights that was written to files."""

    def build(teacher=None, student=None, terms=TERMS, **distiller):
        files = write_teacher(tmp_path, teacher or tokenpose())
        torch.manual_seed(0)
        return MODELS.build(
            dict(
                student or tokenpose(PRUNER), distiller=dict(type='TeacherDistiller', terms=terms, **files, **distiller)
            )
        )

    return build


def trace(rows, kept=None, query=None):
    """One layer of one image with one head."""
    rows = torch.tensor(rows)[None, None]
    return LayerTrace(
        torch.zeros(1, rows.shape[2], 2) if query is None else torch.tensor(query)[None],
        rows,
        None if kept is None else torch.tensor(kept)[None],
    )


ALL = trace([[0.5, 0.5, 0.0, 0.0]])  # a first layer that looks at one joint and at three patches, in both models


def test_attention_by_hand():
    """One joint, three patches; the student has kept patches 2 and 0, in this order."""
    teacher = (ALL, trace([[0.1, 0.2, 0.5, 0.3]]))
    student = (ALL, trace([[0.25, 0.25, 0.5]], kept=[2, 0]))
    target = [0.1 / 0.6, 0.3 / 0.6, 0.2 / 0.6]
    kl = sum(t * math.log(t / s) for t, s in zip(target, (0.25, 0.25, 0.5)))
    assert_close(JointAttentionLoss(loss_weight=3.0)(student, teacher), torch.tensor(3 * kl))
    mse = sum((t - s) ** 2 for t, s in zip(target, (0.25, 0.25, 0.5))) / 3
    assert_close(JointAttentionLoss([1], 'mse')(student, teacher), torch.tensor(mse))
    assert JointAttentionLoss([0])(student, teacher).item() == 0  # equal there, zeros included
    same = (ALL, trace([target], kept=[2, 0]))
    assert JointAttentionLoss()(same, teacher).item() == pytest.approx(0, abs=1e-6)


def test_attention_in_half_precision():
    """As a CPU has it under autocast: 0 where both are equal, and else what the same numbers are in full precision."""
    torch.manual_seed(0)
    logits = 2 * torch.randn(2, 8, 5, 261)
    near, query = logits + 0.02 * torch.randn_like(logits), torch.zeros(2, 5, 4)
    layers = [LayerTrace(query, each.softmax(-1).bfloat16()) for each in (logits, near)]
    whole = [layer._replace(attention=layer.attention.float()) for layer in layers]
    loss = JointAttentionLoss()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert loss([layers[0]], [layers[0]]).item() == pytest.approx(0, abs=1e-6)
        assert_close(loss(layers[:1], layers[1:]), loss(whole[:1], whole[1:]))


def test_attention_on_the_full_grid_by_hand():
    """One joint, three patches; what the student has pruned counts with the teacher's whole attention."""
    teacher = (ALL, trace([[0.1, 0.2, 0.5, 0.2]]))
    student = (ALL, trace([[0.25, 0.25, 0.5]], kept=[2, 0]))
    squares = (0.25 - 0.1) ** 2 + (0.5 - 0.2) ** 2 + (0.0 - 0.5) ** 2 + (0.25 - 0.2) ** 2
    loss = JointAttentionLoss(divergence='mse', support='grid', loss_weight=2.0)
    assert loss(student, teacher).item() == pytest.approx(2 * squares / 4)
    assert loss(teacher, teacher).item() == 0
    with pytest.raises(ValueError, match="support='grid' needs divergence='mse'"):
        JointAttentionLoss(support='grid')
    with pytest.raises(ValueError, match="support='all' is unknown; choose one of surviving, grid"):
        JointAttentionLoss(support='all')


def test_attention_is_the_mean_over_heads():
    heads = ALL._replace(attention=torch.tensor([[[[1.0, 0, 0, 0]], [[0, 1.0, 0, 0]]]]))
    assert JointAttentionLoss(divergence='mse')((heads,), (ALL,)).item() == 0


def test_attention_is_the_mean_over_samples_and_joints_and_the_sum_over_layers():
    """Two samples, two joints, two layers."""
    rows = torch.rand(4, 2, 1, 2, 5, generator=torch.Generator().manual_seed(0)).softmax(dim=-1)
    two = ALL._replace(query=torch.zeros(2, 2, 2))
    student, teacher = (tuple(two._replace(attention=layer) for layer in part) for part in (rows[:2], rows[2:]))
    pairs = [(ours.attention, theirs.attention) for ours, theirs in zip(student, teacher)]
    expected = sum((theirs * (theirs / ours).log()).sum().item() / 4 for ours, theirs in pairs)
    assert JointAttentionLoss(loss_weight=0.5)(student, teacher).item() == pytest.approx(0.5 * expected, rel=1e-5)
    squares = sum(((ours - theirs) ** 2).sum().item() / 20 for ours, theirs in pairs)
    assert JointAttentionLoss(divergence='mse')(student, teacher).item() == pytest.approx(squares, rel=1e-5)


def test_tokens_by_hand():
    student = tuple(trace([[1.0, 0]], query=[[value, 0.0]]) for value in (1.0, 2.0, 3.0))
    teacher = tuple(trace([[1.0, 0]], query=[[0.0, 0.0]]) for _ in range(3))
    assert JointTokenLoss()(student, teacher).item() == (1 + 4 + 9) / 2
    assert JointTokenLoss((0, 2), loss_weight=2.0)(student, teacher).item() == 2 * (1 + 9) / 2
    assert JointTokenLoss()(student, student).item() == 0


def test_trace_follows_the_prunings():
    """16 patches, 8 behind layer 0 and 4 behind layer 1, with the indices of the full grid."""
    torch.manual_seed(0)
    neck = MODELS.build(tokenpose(PRUNER)['neck']).eval()
    feature = torch.randn(2, 16, 16, 16)
    plain = neck([feature], trace='all').output
    traced = neck([feature], trace='queries').output
    assert neck([feature]).output.trace is None
    assert [layer.attention.shape for layer in traced.trace] == [(2, 2, 5, 5 + count) for count in (16, 8, 4)]
    assert [layer.attention.shape for layer in plain.trace] == [(2, 2, 5 + count, 5 + count) for count in (16, 8, 4)]
    for layer, other in zip(traced.trace, plain.trace):
        assert_close(layer.attention, other.query_attention)
    assert traced.trace[0].kept is None and torch.equal(traced.trace[2].kept, traced.kept)
    # What layer 1 sees are the patches that layer 0's joints look at most.
    looked_at = traced.trace[0].attention[..., 5:].mean(dim=1).sum(dim=1).topk(8).indices
    assert torch.equal(traced.trace[1].kept, looked_at)
    assert all(
        set(after.tolist()) <= set(before.tolist()) for before, after in zip(traced.trace[1].kept, traced.trace[2].kept)
    )
    assert_close(traced.trace[2].query, traced.query)
    assert_close(traced.sequence, plain.sequence)


def test_trains_on_all_its_terms(student_of):
    model = student_of().train()
    losses = model(*heatmap_batch(), mode='loss')
    assert list(losses) == ['loss_kpt', 'acc_pose', *TERMS] and all(losses[name] > 0 for name in TERMS)
    total, _ = model.parse_losses(losses)
    total.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []
    assert not any(p.requires_grad or p.grad is not None for p in teacher_of(model).parameters())


def test_each_term_reaches_the_student(student_of):
    for name, term in TERMS.items():
        model = student_of(terms={name: term}).train()
        model(*heatmap_batch(), mode='loss')[name].backward()
        assert model.neck.layers[0].attn.qkv.weight.grad.abs().sum() > 0


def test_the_teacher_may_choose_the_patches(student_of):
    """In training only: the student keeps what the teacher's joints attend to most among the patches that are left."""
    model = student_of(prune_by_teacher=True)
    model.init_weights()
    images, samples = heatmap_batch()
    seen = {}
    hook = model.neck.register_forward_hook(lambda module, args, out: seen.update(kept=out.output.kept))
    losses = model.train().loss(images, samples)
    teacher = teacher_of(model)
    with torch.no_grad():
        rows = [layer.attention for layer in teacher.neck(teacher.backbone(images), trace='queries').output.trace]
    first = rows[0][..., 5:].mean(dim=1).sum(dim=1).topk(8).indices
    second = rows[1][..., 5:].mean(dim=1).sum(dim=1).gather(1, first).topk(4).indices
    assert torch.equal(seen['kept'], first.gather(1, second))
    # The same terms as without the guide, from one pass of the teacher.
    assert set(losses) == {'loss_kpt', 'acc_pose', *TERMS} and all(torch.isfinite(value) for value in losses.values())

    model.eval().loss(images, samples)
    assert torch.equal(seen['kept'], first.gather(1, second))  # a loss is guided in either mode
    model.extract_feat(images)
    assert not torch.equal(seen['kept'], first.gather(1, second))
    hook.remove()


def test_who_cannot_choose_patches_is_refused(student_of):
    with pytest.raises(ValueError, match='prune_by_teacher needs a student that prunes: set model.neck.pruner'):
        student_of(student=tokenpose(), prune_by_teacher=True)
    with pytest.raises(ConfigError, match=r'teacher.py has 2 layers and 4x4 patches, the student 3 and 4x4'):
        student_of(teacher=tokenpose(depth=2), prune_by_teacher=True).init_weights()


def test_student_starts_as_its_teacher(student_of):
    """Pruning adds no parameter: the teacher's checkpoint fills the student strictly (load_from)."""
    model = student_of(student=tokenpose()).eval()
    weights = teacher_of(model).state_dict()
    assert not compare(student_of(), weights)
    model.load_state_dict(weights, strict=True)
    losses = model(*heatmap_batch(), mode='loss')
    assert {name: losses[name].item() for name in TERMS} == {name: pytest.approx(0, abs=1e-6) for name in TERMS}


def test_before_the_first_pruning_student_and_teacher_agree(student_of):
    term = dict(loss_attention=dict(type='JointAttentionLoss', on='trace', layers=(0,)))
    model = student_of(terms=term).eval()
    model.load_state_dict(teacher_of(model).state_dict(), strict=True)
    assert model(*heatmap_batch(), mode='loss')['loss_attention'].item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize('ratio', [0.5, 0.8, 1.0])
def test_kept_patches_are_the_teachers_own_through_all_prunings(student_of, ratio):
    """Where attention moves nothing, a surviving token is what it is in the teacher, and so are its scores.

    With equal weights the student's rows are then the teacher's, cut to the survivors and renormalized, behind any
    number of prunings, at an annealed ratio, and in layers that prune nothing. One wrong index, and they are not.
    """
    deep = tokenpose(depth=5, num_heads=1)  # of several heads the mean is renormalized, not each
    pruned = tokenpose(dict(PRUNER, layers=(0, 1, 3)), depth=5, num_heads=1)
    model = student_of(deep, pruned, dict(loss_attention=dict(type='JointAttentionLoss', on='trace'))).eval()
    teacher = teacher_of(model)
    for layer in teacher.neck.layers:
        torch.nn.init.normal_(layer.attn.qkv.weight)  # rows that are far from even
        torch.nn.init.zeros_(layer.attn.proj.weight)
    model.load_state_dict(teacher.state_dict(), strict=True)
    model.neck.pruner.keep_ratio = ratio
    images, samples = heatmap_batch()
    assert model(images, samples, mode='loss')['loss_attention'].item() == pytest.approx(0, abs=1e-5)
    ours, theirs = (net.neck(net.backbone(images), trace='queries').output.trace for net in (model, teacher))
    counts = {0.5: [16, 8, 4, 4, 2], 0.8: [16, 13, 11, 11, 9], 1.0: [16] * 5}[ratio]
    assert [trace.attention.shape[-1] - 5 for trace in ours] == counts
    if ratio < 1:
        wrong = [trace if trace.kept is None else trace._replace(kept=trace.kept.flip(1)) for trace in ours]
        assert JointAttentionLoss()(wrong, theirs) > 0.1


def test_what_does_not_correspond_is_said(student_of):
    cases = [
        (dict(teacher=tokenpose(depth=2)), 'student and teacher must have one depth, got 3 and 2 layers'),
        (dict(teacher=tokenpose(patch_size=(2, 2))), r'attention rows .*\(3, 5, 21\) and \(3, 5, 69\)'),
        (dict(teacher=tokenpose(PRUNER)), 'the teacher has pruned tokens before layer 1'),
        (
            dict(teacher=tokenpose(feature_size=(8, 8))),
            r'the teacher .*teacher.py, shown the images of the student: .* a feature map of \(w, h\)=\(8, 8\) but got',
        ),
        (
            dict(terms=dict(loss_x=dict(type='JointTokenLoss', on='trace', layers=(1, 3)))),
            r'layers=\(1, 3\) names \[3\], but there are 3 layers',
        ),
    ]
    for parts, message in cases:
        with pytest.raises(ConfigError, match=message):
            student_of(**{'terms': dict(TERMS, loss_token=None), **parts})(*heatmap_batch(), mode='loss')
    plain = dict(
        tokenpose(),
        neck=None,
        head=dict(type='HeatmapHead', in_channels=16, out_channels=5, deconv_out_channels=None, decoder=CODEC),
    )
    for parts, message in ((dict(student=plain), 'on="trace" needs a student'), (dict(teacher=plain), 'has no tokens')):
        with pytest.raises(ConfigError, match=message):
            student_of(**parts)(*heatmap_batch(), mode='loss')
    with pytest.raises(ValueError, match="divergence='cosine' is unknown; choose one of kl, mse"):
        JointAttentionLoss(divergence='cosine')
    for layers in ([], 2, (1, 1), (-1,), ('1',)):
        for loss in (JointAttentionLoss, JointTokenLoss):
            with pytest.raises(ValueError, match='layers must be a list of different layers, counted from 0'):
                loss(layers=layers)
    for term, message in (
        (dict(type='JointTokenLoss', on='query'), "JointTokenLoss compares trace, .* on='query'"),
        (dict(type='TokenMSELoss', on='trace'), "TokenMSELoss compares query, visual, .* on='trace'"),
    ):
        with pytest.raises(ValueError, match=f"term 'loss_x': {message}"):
            student_of(terms=dict(loss_x=term))
    for loss in (JointAttentionLoss, JointTokenLoss):
        with pytest.raises(ValueError, match='loss_weight must not be negative, got -1'):
            loss(loss_weight=-1)


VISUAL = dict(loss_visual=dict(type='TokenMSELoss', on='visual'))


def test_a_teacher_that_prunes_chooses_by_the_places_of_its_patches(student_of):
    """What it has dropped is worth nothing; of the others, the student keeps those that it attends to most."""
    term = dict(loss_query=dict(type='TokenMSELoss', on='query'))
    pruned = dict(PRUNER, layers=(1,))
    model = student_of(tokenpose(PRUNER), tokenpose(pruned), term, prune_by_teacher=True).train()
    outputs, teacher = model.distiller.run(model, heatmap_batch()[0])
    traced = teacher.tokens(0).trace
    seen, left = traced[1].attention[..., 5:].mean(dim=1).sum(dim=1), traced[1].kept  # (B, 8) each
    expected = left.gather(1, seen.topk(8).indices)
    assert torch.equal(outputs.tokens(0).kept, expected) and not torch.equal(seen.topk(8).indices, expected)


def test_patches_of_models_that_prune_are_not_compared(student_of):
    with pytest.raises(ConfigError, match="compares on='visual', but the student prunes, and has other patches"):
        student_of(terms=VISUAL).init_weights()
    with pytest.raises(
        ConfigError, match='teacher.py prunes, and has other patches than the student: a term on visual'
    ):
        student_of(tokenpose(PRUNER), tokenpose(), VISUAL).init_weights()
    model = student_of(tokenpose(dict(PRUNER, keep_ratio=1.0)), tokenpose(dict(PRUNER, keep_ratio=1.0)), VISUAL)
    assert model(*heatmap_batch(), mode='loss')['loss_visual'] > 0  # nothing is left out


def test_as_many_patches_of_another_shape_are_not_compared(student_of):
    wide = tokenpose(patch_size=(8, 2))
    with pytest.raises(ConfigError, match='has 2x8 patches, the student 4x4: a term on visual or visual_content'):
        student_of(wide, tokenpose(), VISUAL).init_weights()
    assert student_of(wide, tokenpose(), dict(loss_query=dict(type='TokenMSELoss', on='query'))).init_weights() is None
