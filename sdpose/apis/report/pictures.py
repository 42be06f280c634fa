"""Pictures of a report: people of each kind of error, annotated and predicted side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sdpose.errors import DataError
from sdpose.evaluation.analysis.taxonomy import INVERSION, JITTER, MISS, SWAP
from sdpose.io.pictures import read_picture
from sdpose.visualization import Skeleton
from sdpose.visualization.report_page import Picture, draw_panels

from .analysis import Found
from .inputs import Annotated, Results

_EACH = 4  # pictures of a kind
_LEGIBLE = 48.0**2  # area in square pixels from which on people are shown first


class Example(NamedTuple):
    """A person to be shown.

    Attributes:
        annotated: The annotated person, -1 for nobody.
        predicted: For each run, the predicted one, -1 for nobody.
        caption: What is to be seen.
    """

    annotated: int
    predicted: tuple[int, ...]
    caption: str


def choose_examples(results: Results, found: Found) -> dict[str, list[Example]]:
    """The best, the most typical and the worst people, and those with the most of each error, one of an image.

    Returns:
        Examples by title.
    """
    evaluation, pairs = results.evaluation, found.pairs
    areas, labelled = evaluation.areas[pairs.annotated], (~np.isnan(pairs.similarity)).sum(axis=1)
    legible = (areas >= _LEGIBLE) & (labelled >= 0.5 * pairs.similarity.shape[1])
    lost = np.nan_to_num(1 - pairs.similarity)
    kinds = {'Jitter': JITTER, 'Inversion': INVERSION, 'Swap': SWAP, 'Miss': MISS}
    ranks = {
        'Best': pairs.oks,
        'Typical': -np.abs(pairs.oks - np.median(pairs.oks)) if len(pairs.oks) else pairs.oks,
        'Worst': -pairs.oks,
    }
    chosen = {title: _best_pairs(results, found, legible, rank) for title, rank in ranks.items()}
    for title, kind in kinds.items():
        own = np.where(found.errors.kind == kind, lost, 0).sum(axis=1)
        chosen[title] = _best_pairs(results, found, own > 0, own + legible * own.max(initial=0))
    image = evaluation.candidates.group % len(evaluation.truth.images)
    unpaired = np.flatnonzero(found.unpaired)
    order = unpaired[np.argsort(-evaluation.candidates.scores[unpaired], kind='stable')]
    chosen['Background: nobody is there'] = [
        Example(-1, (place,), f'score {evaluation.candidates.scores[place]:.2f}') for place in _one_each(order, image)
    ]
    missed = np.flatnonzero(~evaluation.ignored & (found.partner < 0))
    order = missed[np.argsort(-evaluation.areas[missed], kind='stable')]
    chosen['Missed: nobody is predicted'] = [
        Example(person, (-1,), f'{evaluation.truth.labelled[person].sum()} labelled joints')
        for person in _one_each(order, evaluation.truth.group % len(evaluation.truth.images))
    ]
    return {title: examples for title, examples in chosen.items() if examples}


def choose_differences(one: Results, found: tuple[Found, Found]) -> dict[str, list[Example]]:
    """The people whom each of two runs wins by most."""
    gained = found[0].oks - found[1].oks
    image = one.evaluation.truth.group % len(one.evaluation.truth.images)
    chosen = {}
    for title, sign in (('This run is better', 1), ('The other run is better', -1)):
        people = np.flatnonzero(~one.evaluation.ignored & (sign * gained > 0.05))
        order = people[np.argsort(-sign * gained[people] - (one.evaluation.areas[people] >= _LEGIBLE), kind='stable')]
        chosen[title] = [
            Example(
                person,
                (int(found[0].partner[person]), int(found[1].partner[person])),
                f'OKS {found[0].oks[person]:.2f}, the other {found[1].oks[person]:.2f}',
            )
            for person in _one_each(order, image)
        ]
    return {title: examples for title, examples in chosen.items() if examples}


def _best_pairs(results: Results, found: Found, allowed: np.ndarray, rank: np.ndarray) -> list[Example]:
    """The allowed pairs of the highest rank."""
    pairs, evaluation = found.pairs, results.evaluation
    places = np.flatnonzero(allowed) if allowed.any() else np.arange(len(rank))
    order = places[np.argsort(-rank[places], kind='stable')] if rank.any() else places[:0]
    image = evaluation.truth.group[pairs.annotated] % len(evaluation.truth.images)
    return [
        Example(
            int(pairs.annotated[pair]),
            (int(pairs.predicted[pair]),),
            f'OKS {pairs.oks[pair]:.2f}, score {evaluation.candidates.scores[pairs.predicted[pair]]:.2f}',
        )
        for pair in _one_each(order, image)
    ]


def _one_each(order: np.ndarray, image: np.ndarray) -> list[int]:
    """The first few of an order, each of another image."""
    _, first = np.unique(image[order], return_index=True)
    return order[np.sort(first)[:_EACH]].tolist()


def draw_examples(
    examples: Mapping[str, Sequence[Example]], annotated: Annotated, runs: Sequence[Results], folder: str | Path
) -> tuple[dict[str, list[Picture]], list[str]]:
    """Draw examples whose images are there.

    Args:
        examples: By title.
        annotated: The annotated people.
        runs: One, or two that are compared.
        folder: Where the images are.

    Returns:
        Pictures by title, and what is wrong with images that could not be read.
    """
    skeleton, drawn, faults = Skeleton.from_metainfo(annotated.metainfo), {}, []
    for title, chosen in examples.items():
        own = []
        for example in chosen:
            try:
                own.append(_draw(example, annotated, runs, skeleton, Path(folder)))
            except DataError as error:
                faults.append(str(error))
        if own:
            drawn[title] = own
    return drawn, faults


def _draw(example: Example, annotated: Annotated, runs: Sequence[Results], skeleton: Skeleton, folder: Path) -> Picture:
    """The panels of an example: the annotated person, then that of each run.

    Where nobody is annotated, or predicted, everybody else of the image is shown.
    """
    truth, candidates = annotated.truth, [run.evaluation.candidates for run in runs]
    group = truth.group[example.annotated] if example.annotated >= 0 else candidates[0].group[example.predicted[0]]
    name = annotated.files[group % len(truth.images)]
    image = read_picture(folder / name)
    people = [example.annotated] if example.annotated >= 0 else np.flatnonzero(truth.group == group).tolist()
    true = [np.column_stack([truth.joints[person], 2 * truth.labelled[person]]) for person in people]
    found = []
    for run, place in zip(runs, example.predicted):
        own = run.evaluation.candidates
        places = [place] if place >= 0 else np.flatnonzero(own.group == group).tolist()
        found.append([np.column_stack([own.joints[each], np.ones(len(skeleton.joint_colors))]) for each in places])
    held = true if example.annotated >= 0 else []
    for shown, place in zip(found, example.predicted):
        if place >= 0:  # of an annotated person, what is labelled: the rest may be anywhere
            held = [*held, np.column_stack([shown[0][:, :2], held[0][:, 2] if held else shown[0][:, 2]])]
    labels = ['annotated', *(['predicted'] if len(runs) == 1 else ['this run', 'the other run'])]
    return Picture(example.caption, name, draw_panels(image, held, dict(zip(labels, [true, *found])), skeleton))
