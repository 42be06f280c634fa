"""Further cycles only for the people who need them (any-time inference), beside a control that chooses by chance.

Shapes: B people of a batch, n of them still in it, T thresholds.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from mmpose.utils.typing import SampleList
from torch import Tensor

from sdpose.errors import require_choice
from sdpose.structures import CycleTokens, TokenSet

from .halting_rules import RULES, HaltingRule, Reading


class Halting(NamedTuple):
    """When a person is done.

    Attributes:
        thresholds: One or more; each makes results of its own.
        by: The name of a rule, of :data:`RULES`.
    """

    thresholds: tuple[float, ...]
    by: str = 'peaks'

    @property
    def rule(self) -> HaltingRule:
        """The rule."""
        return RULES[self.by]

    def require_fit(self, num_cycles: int) -> None:
        """Refuse what leaves nothing to decide.

        Raises:
            ValueError: If the rule is unknown, a threshold out of range or there twice, or there are too few cycles.
        """
        require_choice('by', self.by, RULES)
        least, top = self.rule.least_cycles, self.rule.top
        if not self.thresholds or any(not 0 < each < top for each in self.thresholds):
            limits = f'between 0 and {top:g}' if top < float('inf') else 'above 0'
            raise ValueError(f'thresholds by {self.by} lie {limits}, got {", ".join(map(str, self.thresholds))}')
        if len({f'{each:g}' for each in self.thresholds}) < len(self.thresholds):  # their results would have one name
            raise ValueError(f'thresholds differ in six digits, got {", ".join(map(str, self.thresholds))}')
        if num_cycles < least:
            raise ValueError(
                f'by {self.by} a person is done after one of several cycles: it takes model.neck.num_cycles of '
                f'{least} or more, got {num_cycles}'
            )


class Halted(NamedTuple):
    """The predictions of a batch by every threshold, and then by the control of each.

    Attributes:
        samples: 2 T lists of B samples.
        depths: After which cycle each of them is done, from 1, (2 T, B).
    """

    samples: list[SampleList]
    depths: Tensor


class _Cycles(NamedTuple):
    """What was predicted after each cycle, and when who was done.

    Attributes:
        predicted: For each cycle, by the place in the batch, what the head makes of a person: instances, and fields.
        depths: After which cycle each person is done, from 1, (T, B), or (2 T, B) with a control.
    """

    predicted: list[dict[int, tuple[InstanceData, Any]]]
    depths: Tensor


def say_done(counts: Sequence[int], logger: Any = 'current') -> None:
    """Log how many people were done after each cycle."""
    told = ', '.join(f'{count} after cycle {cycle}' for cycle, count in enumerate(counts, 1))
    print_log(f'people were done: {told}', logger)


@torch.no_grad()
def predict_halting(model: Any, inputs: Tensor, data_samples: SampleList, halting: Halting) -> Halted:
    """Run a cycle, read the head, and let those people leave the batch who are done by every threshold and control.

    The control of a threshold lets as many people of the batch go on after each cycle, chosen by chance: whether a
    rule knows who needs it shows in the difference of the two. What a person is predicted does not depend on the
    others.

    Args:
        model: A ``DistillPoseEstimator`` in eval mode with a ``MultiCycledTransformer``.
        inputs: The preprocessed images (B, 3, H, W).
        data_samples: One MMPose data sample per image; they are left as they are.
        halting: The rule.
    """
    cycles = _run(model, inputs, data_samples, halting, control=True)
    labelled = []
    for predicted in cycles.predicted:
        samples = [data_samples[person].new() for person in predicted]
        instances, fields = (list(each) for each in zip(*predicted.values()))
        told = model.add_pred_to_datasample(instances, None if fields[0] is None else fields, samples)
        labelled.append(dict(zip(predicted, told)))
    chosen = [[labelled[depth - 1][person] for person, depth in enumerate(row)] for row in cycles.depths.tolist()]
    return Halted(chosen, cycles.depths)


@torch.no_grad()
def infer_halting(
    model: Any, inputs: Tensor, data_samples: SampleList, halting: Halting
) -> tuple[list[InstanceData], Tensor]:
    """As :func:`predict_halting` for a rule of one threshold, without a control.

    Args:
        model: As for :func:`predict_halting`.
        inputs: The preprocessed images (B, 3, H, W).
        data_samples: One MMPose data sample per image, of which the head reads the metainfo.
        halting: The rule.

    Returns:
        The instances of each person, in pixels of the images, and after which cycle each is done, from 1, (B,).
    """
    cycles = _run(model, inputs, data_samples, halting, control=False)
    depths = cycles.depths[0]
    return [cycles.predicted[depth - 1][person][0] for person, depth in enumerate(depths.tolist())], depths


def _run(model: Any, inputs: Tensor, data_samples: SampleList, halting: Halting, control: bool) -> _Cycles:
    """Run cycles as long as somebody goes on by some threshold, or by its control."""
    count, most = len(data_samples), model.neck.num_cycles
    views = [inputs, inputs.flip(-1)] if model.test_cfg.get('flip_test', False) else [inputs]
    # Cycle 1 of an eval pass; the tokens before it are those of no cycle, which adapters and motion ask for.
    starts = [model.neck.tokenizer(_maps(model, view)[-1]) for view in views]
    tokens, before = starts, starts
    order = _order(data_samples)
    going = torch.ones(len(halting.thresholds) * (2 if control else 1), count, dtype=torch.bool)
    depths = torch.zeros(going.shape, dtype=torch.long)
    predicted: list[dict[int, tuple[InstanceData, Any]]] = []
    people = torch.arange(count)
    for cycle in range(1, most + 1):
        after = [_advance(model.neck, *pair, cycle) for pair in zip(tokens, starts)]
        found = _predict(model, after, [data_samples[person] for person in people])
        predicted.append(dict(zip(people.tolist(), found)))
        depths[going] = cycle
        value = torch.full((count,), float('nan'))
        reading = Reading(cycle, [each for each, _ in found], after[0], tokens[0], before[0])
        value[people] = halting.rule.value(reading)
        _let_go(going, value, order, halting)
        stay = going[:, people].any(dim=0).nonzero()[:, 0]  # (n,)
        if cycle == most or not len(stay):
            break
        people = people[stay]
        before, tokens, starts = ([each.rows(stay) for each in sets] for sets in (tokens, after, starts))
    return _Cycles(predicted, depths)


def _maps(model: Any, images: Tensor) -> Sequence[Tensor]:
    """What the tokenizer reads of images (B, 3, H, W)."""
    return (images,) if getattr(model, 'backbone', None) is None else model.backbone(images)


def _advance(neck: Any, tokens: TokenSet, start: TokenSet, cycle: int) -> TokenSet:
    """The tokens after one more cycle."""
    if cycle > 1 and neck.cycle_adapter is not None:
        tokens = neck.cycle_adapter.enter(tokens, start, cycle)
    return neck.run_cycle(tokens, cycle)


def _predict(model: Any, views: list[TokenSet], samples: SampleList) -> list[tuple[InstanceData, Any]]:
    """What the head reads in the tokens of people, of one view or of two: instances and fields, or None for these."""
    feats = [CycleTokens((tokens,), 0) for tokens in views]
    predicted = model.head.predict(feats if len(feats) > 1 else feats[0], samples, test_cfg=model.test_cfg)
    return [*zip(*(predicted if isinstance(predicted, tuple) else (predicted, [None] * len(predicted))))]


def _let_go(going: Tensor, value: Tensor, order: Tensor, halting: Halting) -> None:
    """Who goes on by each threshold, (B,), and as many by its control: those who come first in an order by chance."""
    for number, threshold in enumerate(halting.thresholds):
        going[number] &= halting.rule.goes_on(value, threshold)
        if len(going) > len(halting.thresholds):  # with a control
            going[len(halting.thresholds) + number] = order < going[number].sum()


def _order(data_samples: SampleList) -> Tensor:
    """The places of people in an order by chance (B,), the same whenever this batch comes."""
    first = data_samples[0].metainfo.get('id', 0)
    generator = torch.Generator().manual_seed(int(first) if isinstance(first, int) else 0)
    return torch.randperm(len(data_samples), generator=generator)
