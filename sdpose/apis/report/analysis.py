"""The numbers of a report, as plain values that a page and a JSON file hold."""

from typing import Any, NamedTuple

import numpy as np

from sdpose.evaluation.analysis.bootstrap import DRAWS, LEAST_IMAGES, draw_images, interval, resampled_aps
from sdpose.evaluation.analysis.boxes import box_recall
from sdpose.evaluation.analysis.calibration import Calibration, calibrate
from sdpose.evaluation.analysis.comparison import paired_difference
from sdpose.evaluation.analysis.diagnosis import Remedy, find_remedy
from sdpose.evaluation.analysis.gains import ap_without
from sdpose.evaluation.analysis.pairing import LEAST_OKS, Pairs, pair_people
from sdpose.evaluation.analysis.per_joint import PCK_THRESHOLDS, joint_aps, joint_distances, joint_pck
from sdpose.evaluation.analysis.subsets import (
    Group,
    by_crowd_index,
    by_labelled,
    by_overlap,
    by_size,
    by_truncation,
    group_numbers,
)
from sdpose.evaluation.analysis.taxonomy import KINDS, JointErrors, joint_errors
from sdpose.evaluation.coco.matching import THRESHOLDS
from sdpose.evaluation.coco.numbers import RECALLS, coco_numbers, crowd_numbers
from sdpose.evaluation.suspicious_metrics import explain_metrics

from .inputs import Annotated, Results
from .plain import plain_number

_CURVES = (0.5, 0.75, 0.9)
_RECALL_IOUS = (0.5, 0.75)
_PCKS = (0.05, 0.1)
# Distances in falloffs of OKS, 2 sigma times the root of the area.
_DISTANCES = np.linspace(0, 4, 41)


class Found(NamedTuple):
    """What pictures are chosen by, beside the numbers.

    Attributes:
        numbers: The numbers of a run.
        pairs: Predicted people with their annotated ones.
        unpaired: (N,), predicted people with nobody.
        errors: Kinds of joints.
        oks: (G,), of annotated people, 0 for nobody.
        partner: (G,), the predicted person of each, -1 for nobody.
    """

    numbers: dict[str, Any]
    pairs: Pairs
    unpaired: np.ndarray
    errors: JointErrors
    oks: np.ndarray
    partner: np.ndarray


def analyse(annotated: Annotated, results: Results) -> Found:
    """Every number of one run."""
    evaluation = results.evaluation
    pairs, unpaired = pair_people(evaluation)
    errors = joint_errors(evaluation, pairs, annotated.mirrored)
    partner, oks = pairs.of_people(len(evaluation.ignored))
    weights = draw_images(len(annotated.truth.images))
    numbers = {
        'results': results.file,
        'data': _data(annotated, results),
        **numbers_of(annotated, results),
        **_intervals(annotated, evaluation.ignored, resampled_aps(evaluation, weights)),
        'boxes': _boxes(results),
        'joints': _joints(annotated, results, pairs, errors),
        'groups': {
            name: [each._asdict() for each in group_numbers(evaluation, groups, oks)]
            for name, groups in groups_of(annotated, evaluation.areas).items()
        },
        'errors': _errors(results, pairs, unpaired, errors),
        'calibration': _calibration(results, pairs),
        'curves': _curves(results),
        'distances': _distances(results, pairs),
    }
    numbers['remarks'] = _remarks(annotated, results, numbers['numbers'])
    return Found(numbers, pairs, unpaired, errors, oks, partner)


def groups_of(annotated: Annotated, areas: np.ndarray) -> dict[str, list[Group]]:
    """The groups of people that a report tells apart, by what makes them."""
    truth = annotated.truth
    return {
        'size': by_size(areas),
        'labelled joints': by_labelled(truth),
        'overlap': by_overlap(truth),
        'crowding': by_crowd_index(truth),
        'truncation': by_truncation(truth, annotated.sizes),
    }


def compare(annotated: Annotated, one: Results, other: Results, found: tuple[Found, Found]) -> dict[str, Any]:
    """The difference of two runs, one less the other, with intervals over images that are drawn alike for both."""
    weights = draw_images(len(annotated.truth.images))
    aps = [resampled_aps(run.evaluation, weights) for run in (one, other)]
    gained = aps[0] - aps[1]
    values = [found[0].numbers['numbers'], found[1].numbers['numbers']]
    counted = ~one.evaluation.ignored
    image = annotated.truth.group % len(annotated.truth.images)
    oks = [each.oks for each in found]
    difference = {name: None if value < 0 else value - values[1][name] for name, value in values[0].items()}
    groups = {
        name: [
            dict(name=group.name, **paired_difference(oks[0][people], oks[1][people], image[people], weights)._asdict())
            for group in groups
            if (people := group.people & counted).any()
        ]
        for name, groups in groups_of(annotated, one.evaluation.areas).items()
    }
    return {
        'difference': difference,
        **_intervals(annotated, ~counted, gained),
        'better_share': float((gained.mean(axis=1) > 0).mean()),
        'people': paired_difference(oks[0][counted], oks[1][counted], image[counted], weights)._asdict(),
        'groups': groups,
        'histogram': _histogram((oks[0] - oks[1])[counted], np.linspace(-1, 1, 41)),
    }


def _data(annotated: Annotated, results: Results) -> dict[str, Any]:
    truth, evaluation = annotated.truth, results.evaluation
    return {
        'annotations': annotated.file,
        'joint_names': annotated.joints,
        'images': len(truth.images),
        'images_with_results': len(np.unique(results.people.image)),
        'people': int((~evaluation.ignored).sum()),
        'results': len(results.people.image),
        'read': len(evaluation.candidates.rank),
        'protocol': 'CrowdPose' if annotated.crowd else 'COCO',
    }


def numbers_of(annotated: Annotated, results: Results) -> dict[str, Any]:
    """The numbers of the data set's own evaluation, and those that COCO's server gives where they differ."""
    evaluation = results.evaluation
    arguments = (evaluation.candidates, evaluation.truth, evaluation.sigmas)
    if annotated.crowd:
        return {'numbers': crowd_numbers(*arguments, annotated.use_area), 'server': {}}
    numbers, server = coco_numbers(*arguments, annotated.use_area)
    return {'numbers': numbers, 'server': server}


def _intervals(annotated: Annotated, ignored: np.ndarray, aps: np.ndarray) -> dict[str, Any]:
    """The intervals of APs (B, T), or of their differences; none of a few images."""
    truth = annotated.truth
    if len(np.unique(truth.group[~ignored] % len(truth.images))) < LEAST_IMAGES:
        return {'draws': DRAWS, 'intervals': {}}
    at = {'AP': aps.mean(axis=1), 'AP .5': aps[:, 0], 'AP .75': aps[:, 5]}
    return {'draws': DRAWS, 'intervals': {name: interval(values) for name, values in at.items()}}


def _boxes(results: Results) -> dict[str, Any]:
    """The recall of the boxes of a result file, where it has them."""
    people, evaluation = results.people, results.evaluation
    if people.boxes is None:
        return {}
    return {
        f'{iou:g}': box_recall(evaluation.truth, evaluation.ignored, people.image, people.boxes, iou)
        for iou in _RECALL_IOUS
    }


def _joints(annotated: Annotated, results: Results, pairs: Pairs, errors: JointErrors) -> list[dict[str, Any]]:
    """The row of each joint."""
    evaluation = results.evaluation
    distances = joint_distances(evaluation, pairs)
    pck, shares = joint_pck(evaluation, pairs, distances), errors.shares()
    people = evaluation.truth.labelled[~evaluation.ignored].sum(axis=0)
    at = [int(np.argmin(np.abs(PCK_THRESHOLDS - share))) for share in _PCKS]
    return [
        {
            'name': name,
            'people': int(people[joint]),
            'ap': float(ap),
            **{f'pck_{share:g}': plain_number(pck[place, joint]) for share, place in zip(_PCKS, at)},
            **{kind: plain_number(shares[number, joint]) for number, kind in enumerate(KINDS)},
            'pck': [plain_number(value) for value in pck[:, joint]],
            'median_distance': plain_number(np.median(own) if len(own := _finite(distances[:, joint])) else np.nan),
        }
        for joint, (name, ap) in enumerate(zip(annotated.joints, joint_aps(evaluation)))
    ]


def _errors(results: Results, pairs: Pairs, unpaired: np.ndarray, errors: JointErrors) -> dict[str, Any]:
    """Counts of errors, and the AP without each kind."""
    evaluation = results.evaluation
    labelled = max(int((errors.kind >= 0).sum()), 1)
    counts = {kind: int((errors.kind == number).sum()) for number, kind in enumerate(KINDS)}
    counts['background'] = int(unpaired.sum())
    counts['missed'] = int((~evaluation.ignored).sum()) - len(pairs.predicted)
    ap = evaluation.ap
    without = ap_without(evaluation, pairs, unpaired, errors)
    return {
        'least_oks': LEAST_OKS,
        'paired': len(pairs.predicted),
        'ap': ap,
        'counts': counts,
        'shares': {kind: counts[kind] / labelled for kind in KINDS},
        'ap_without': without,
        'gains': {name: value - ap for name, value in without.items()},
    }


def _calibration(results: Results, pairs: Pairs) -> dict[str, Any]:
    """Scores of people beside their OKS, and of joints beside their similarity."""
    candidates = results.evaluation.candidates
    oks = np.zeros(len(candidates.rank))
    oks[pairs.predicted] = pairs.oks
    labelled = ~np.isnan(pairs.similarity)
    joint_scores = results.people.joint_scores[candidates.place[pairs.predicted]]
    kinds = {
        'people': calibrate(candidates.scores, oks),
        'joints': calibrate(joint_scores[labelled], pairs.similarity[labelled]),
    }
    return {name: _plain(each) for name, each in kinds.items()}


def _plain(calibration: Calibration) -> dict[str, Any]:
    return {
        'scores': calibration.scores.tolist(),
        'values': calibration.values.tolist(),
        'counts': calibration.counts.tolist(),
        'error': plain_number(calibration.error),
        'correlation': plain_number(calibration.correlation),
    }


def _curves(results: Results) -> dict[str, Any]:
    """Precision at each recall, for some thresholds, and precision over thresholds."""
    precision = results.evaluation.curves().precision[..., 0]  # (T, R, C)
    own = precision[:, :, (precision > -1).any(axis=(0, 1))][..., 0]
    at = {f'{least:g}': own[np.isclose(THRESHOLDS, least)][0].tolist() for least in _CURVES}
    return {
        'recall': RECALLS.tolist(),
        'precision': at,
        'thresholds': THRESHOLDS.tolist(),
        'ap': own.mean(axis=1).tolist(),
    }


def _distances(results: Results, pairs: Pairs) -> dict[str, Any]:
    """How far joints lie from their places, in falloffs of OKS: what lies beyond the last edge is in the last bin."""
    similarity = _finite(pairs.similarity)
    away = np.sqrt(-2 * np.log(np.clip(similarity, 1e-300, 1)))
    return _histogram(np.minimum(away, _DISTANCES[-1]), _DISTANCES)


def _histogram(values: np.ndarray, edges: np.ndarray) -> dict[str, Any]:
    return {'edges': edges.tolist(), 'counts': np.histogram(values, edges)[0].tolist()}


def _remarks(annotated: Annotated, results: Results, numbers: dict[str, float]) -> list[str]:
    """What a reader must know to read the numbers: values that are no result, and results that are not read."""
    people, evaluation = results.people, results.evaluation
    remarks = [f'{remark.sentence}.' for remark in explain_metrics(numbers)]
    remedy = find_remedy(evaluation, annotated.sizes)
    if remedy is not None:
        remarks.insert(0, _say_remedy(remedy, annotated, evaluation.ap))
    unscored = int((people.joint_scores <= 0).all(axis=1).sum())
    if unscored:
        remarks.append(
            f'{unscored} of {len(people.image)} results have no joint with a score above 0, and are not read, as in '
            'xtcocotools.'
        )
    most = int(np.bincount(np.unique(people.image, return_inverse=True)[1]).max())
    if most > 20:
        remarks.append(f'An image has up to {most} results, of which the best 20 are read.')
    empty = len(annotated.truth.images) - len(np.unique(people.image))
    if empty:
        remarks.append(f'{empty} of {len(annotated.truth.images)} images have no result.')
    return remarks


def _say_remedy(remedy: Remedy, annotated: Annotated, ap: float) -> str:
    """What is wrong with the results, in words."""
    gain = f'so read, the AP is {100 * remedy.ap:.1f} instead of {100 * ap:.1f}'
    if remedy.order is None:
        cure = {
            'x and y': 'x and y of the joints are exchanged',
            'fractions': 'joints are given as fractions of width and height, not in pixels',
        }[remedy.name]
        return f'The results do not fit the annotations: {cure}; {gain}.'
    if np.array_equal(remedy.order, annotated.mirrored):
        return f'The results do not fit the annotations: left and right are exchanged; {gain}.'
    names = annotated.joints
    moved = [f'{names[found]} as {names[true]}' for true, found in enumerate(remedy.order) if found != true]
    return (
        f'The results do not fit the annotations: their joints are in another order. What stands in the place of '
        f'{", of ".join(moved)}, should be read so; {gain}. Order to read them in: {remedy.order.tolist()}.'
    )


def _finite(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]
