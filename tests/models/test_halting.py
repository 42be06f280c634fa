"""Any-time inference: who goes on, what is predicted then, and that those who are done leave the batch."""

import numpy as np
import pytest
import torch
from test_predict_cycles import PRUNER, build, samples

from sdpose.models.halting import Halting, predict_halting
from sdpose.models.halting_rules import RULES
from sdpose.models.transformers import MultiCycledTransformer
from sdpose.structures import TokenSet

COUNT = 7


def images():
    return torch.randn(COUNT, 3, 64, 48, generator=torch.Generator().manual_seed(4))


@torch.no_grad()
def of_every_cycle(model):
    """The key points and scores of each cycle, (C, B, K, 2) and (C, B, K), by the way that runs them all."""
    cycles = model.predict_cycles(images(), samples(COUNT))
    people = [[sample.pred_instances for sample in cycle] for cycle in cycles]
    return (
        np.stack([[each.keypoints[0] for each in cycle] for cycle in people]),
        np.stack([[each.keypoint_scores[0] for each in cycle] for cycle in people]),
    )


def between(values):
    """A threshold that parts the numbers in two halves."""
    low, high = np.sort(values)[len(values) // 2 - 1 : len(values) // 2 + 1]
    assert high - low > 1e-6
    return float(low + high) / 2


@pytest.fixture
def sizes(monkeypatch):
    """How many people each cycle is run for."""
    seen, run = [], MultiCycledTransformer.run_cycle

    def counted(neck, tokens, cycle=1, trace=None, scores=None):
        seen.append((cycle, len(tokens.sequence)))
        return run(neck, tokens, cycle, trace, scores)

    monkeypatch.setattr(MultiCycledTransformer, 'run_cycle', counted)
    return seen


@pytest.mark.parametrize('head', ['heatmap', 'regression'])
@pytest.mark.parametrize('options', [{}, dict(flip_test=False, pruner=PRUNER)], ids=['flipped', 'pruned'])
def test_a_person_goes_on_while_its_peaks_are_low(head, options, sizes):
    model = build(head, **options)
    points, scores = of_every_cycle(model)
    means = scores.mean(axis=2)  # (C, B)
    thresholds = (between(means[0]), float(means.max()) - 1e-4)
    sizes.clear()
    halted = predict_halting(model, images(), samples(COUNT), Halting(thresholds))
    for number, threshold in enumerate(thresholds):
        expected = [1 + (means[0, i] < threshold) + (means[:2, i] < threshold).all() for i in range(COUNT)]
        assert halted.depths[number].tolist() == expected
    assert halted.depths[0].unique().numel() > 1 and (halted.depths[0] <= halted.depths[1]).all()
    for way, depths in zip(halted.samples, halted.depths.tolist()):
        for person, (sample, depth) in enumerate(zip(way, depths)):
            assert np.allclose(sample.pred_instances.keypoints[0], points[depth - 1, person], atol=1e-3)
            assert np.allclose(sample.pred_instances.keypoint_scores[0], scores[depth - 1, person], atol=1e-5)
    # Each view of the image runs a cycle for those alone who go on by some threshold or control.
    views = 2 if model.test_cfg['flip_test'] else 1
    left = [(cycle, int((halted.depths >= cycle).any(dim=0).sum())) for cycle in (1, 2, 3)]
    assert sizes == [each for each in left if each[1] for _ in range(views)]


def test_those_who_are_done_leave_the_batch(sizes):
    model = build('heatmap')
    _, scores = of_every_cycle(model)
    means = scores.mean(axis=2)
    sizes.clear()
    predict_halting(model, images(), samples(COUNT), Halting((float(means[0].min()) - 1e-4,)))
    assert sizes == [(1, COUNT)] * 2  # nobody is below
    sizes.clear()
    # One person is: it goes on, and one that the control draws, who may be the same.
    second = float(np.sort(means[0])[1])
    halted = predict_halting(model, images(), samples(COUNT), Halting((second - 1e-5,)))
    assert (halted.depths > 1).sum(dim=1).tolist() == [1, 1]
    assert sizes[2][0] == 2 and 1 <= sizes[2][1] <= 2


def test_the_control_costs_as_much_and_is_drawn_by_chance():
    model = build('heatmap')
    _, scores = of_every_cycle(model)
    halting = Halting((between(scores[0].mean(axis=1)),))
    drawn = set()
    for first in range(6):
        named = samples(COUNT)
        for sample in named:
            sample.set_metainfo(dict(id=first))
        halted = predict_halting(model, images(), named, halting)
        rule, chance = (row.sort().values for row in halted.depths)
        assert torch.equal(rule, chance)
        again = predict_halting(model, images(), named, halting)
        assert torch.equal(halted.depths, again.depths)
        drawn.add(tuple(halted.depths[1].tolist()))
    assert len(drawn) > 1


@pytest.mark.parametrize('cycle', [2, 3])
def test_motion_by_hand(cycle):
    """The turn of a cycle, in four: in the third, what lies before the last one is the first, no longer the start."""
    model = build('heatmap', flip_test=False)
    model.neck.num_cycles = 4
    with torch.no_grad():
        feats = model.neck(model.backbone(images()), cycles=4)
        start = model.neck.tokenizer(model.backbone(images())[-1])
    q = [start.query, *(tokens.query for tokens in feats.cycles)]
    turns = [(q[c] - q[c - 1]) - (q[c - 1] - q[c - 2]) for c in (2, 3)]
    moved = [(turn.norm(dim=2) / now.norm(dim=2)).mean(dim=1).numpy() for turn, now in zip(turns, q[2:])]
    threshold = between(moved[cycle - 2])
    halted = predict_halting(model, images(), samples(COUNT), Halting((threshold,), 'motion'))
    expected = [2 + int(one > threshold) + int(min(one, two) > threshold) for one, two in zip(*moved)]
    assert halted.depths[0].tolist() == expected
    assert {2: {2}, 3: {3, 4}}[cycle] <= set(expected)


def test_cycles_with_parameters_of_their_own():
    """What is predicted after a cycle is what it predicts where all are run: its norms, and the injected start."""
    model = build('heatmap', flip_test=False, cycle_adapter=[dict(type='CycleNorm'), dict(type='CycleInjection')])
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.neck.cycle_adapter.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    points, scores = of_every_cycle(model)
    assert np.abs(scores[1] - scores[0]).max() > 1e-3 and np.abs(scores[2] - scores[1]).max() > 1e-3
    low, high = between(scores[0].mean(axis=1)), 1 - 1e-6
    halted = predict_halting(model, images(), samples(COUNT), Halting((low, high)))
    assert halted.depths[0].unique().numel() > 1 and halted.depths[1].eq(3).all()
    for way, depths in zip(halted.samples, halted.depths.tolist()):
        for person, (sample, depth) in enumerate(zip(way, depths)):
            assert np.allclose(sample.pred_instances.keypoints[0], points[depth - 1, person], atol=1e-3)
            assert np.allclose(sample.pred_instances.keypoint_scores[0], scores[depth - 1, person], atol=1e-5)


def test_rows_of_tokens():
    sequence = torch.arange(24.0).view(4, 3, 2)
    shared = TokenSet(sequence, 1, torch.ones(1, 3, 2)).rows(torch.tensor([2, 0]))
    assert torch.equal(shared.sequence, sequence[[2, 0]]) and shared.position.shape == (1, 3, 2)
    own = TokenSet(sequence, 1, sequence + 1, torch.arange(8).view(4, 2)).rows(torch.tensor([3]))
    assert torch.equal(own.position, sequence[3:] + 1) and own.kept.tolist() == [[6, 7]]


def test_a_rule_of_ones_own(monkeypatch, repo_root):
    """That of the README, as it is printed: whose joints have different scores goes on."""
    page = (repo_root / 'configs/sdpose/README.md').read_text()
    monkeypatch.setitem(RULES, 'spread', None)  # put back behind the test
    exec(page.partition('A rule of your own')[2].partition('```python\n')[2].partition('```')[0], {})
    model = build('heatmap')
    spread = of_every_cycle(model)[1].std(axis=2)  # (C, B)
    threshold = between(spread[0])
    halting = Halting((threshold,), 'spread')
    halting.require_fit(model.neck.num_cycles)
    expected = [1 + (spread[0, i] > threshold) + (spread[:2, i] > threshold).all() for i in range(COUNT)]
    assert predict_halting(model, images(), samples(COUNT), halting).depths[0].tolist() == expected
    assert 1 in expected and max(expected) > 1


def test_bad_input():
    for thresholds, by, cycles, said in (
        ((), 'peaks', 2, 'thresholds by peaks lie between 0 and 1'),
        ((0.2, 1.0), 'peaks', 2, 'lie between 0 and 1, got 0.2, 1.0'),
        ((-1.0,), 'motion', 3, 'thresholds by motion lie above 0, got -1.0'),
        ((float('nan'),), 'peaks', 2, 'got nan'),
        ((0.2, 0.2), 'peaks', 2, 'thresholds differ in six digits, got 0.2, 0.2'),
        ((0.2, 0.20000001), 'peaks', 2, 'thresholds differ in six digits, got 0.2, 0.20000001'),
        ((0.2,), 'peaks', 1, 'it takes model.neck.num_cycles of 2 or more, got 1'),
        ((0.2,), 'motion', 2, 'it takes model.neck.num_cycles of 3 or more, got 2'),
        ((0.2,), 'luck', 2, "by='luck' is unknown; choose one of peaks, motion"),
    ):
        with pytest.raises(ValueError, match=said):
            Halting(thresholds, by).require_fit(cycles)
