"""Values of metrics that say that nothing was measured, or that nothing fits.

What a value means depends on the metric: -1 is COCO's word for no annotated person of that kind; a share (AP, PCK, AUC,
accuracy) of exactly 0 is rare even for a bad model; an error (EPE, NME) of 0 is perfect, unless no joint was labelled.
"""

import logging
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sdpose.errors import first_few

_OKS = re.compile(r'\bm?A[PR]\b')
_CLASSES = re.compile(r'\btop-?\d', re.IGNORECASE)
_SHARE = re.compile(r'PCK|AUC|\bacc|Acc')
_ERROR = re.compile(r'EPE|NME|MPJPE|MRRPE')
# So narrow that a model of little training meets nobody.
_STRICT = re.compile(r'\.(75|8|85|9|95)\b|@0\.(0\d*|1)\b')
# COCO's parts are written "AP (M)", CrowdPose's "AP(M)".
_PART = re.compile(r' ?\([MLEH]\)')
_PARTS = {
    ' (M)': 'a medium area (32² to 96² pixels)',
    ' (L)': 'a large area (from 96² pixels)',
    '(E)': 'an easy image (crowdIndex below 0.2)',
    '(M)': 'a medium image (crowdIndex of 0.2 to 0.8)',
    '(H)': 'a hard image (crowdIndex from 0.8)',
}

_NOBODY = (
    "no annotated person counts. Look at the evaluator's annotation file: a category_id that its categories do not "
    'list, num_keypoints 0, iscrowd 1, area 0, or image ids that are not those of the data'
)
_NOBODY_OF_PART = 'no annotated person has {}. That is no fault in data without such people; else look at that field'
_NO_FIT = (
    'no prediction fits its person. That is normal in the first epochs only; else look at the order of the joints in '
    'metainfo and annotation file, at area (tiny, or as a fraction), boxes and image ids, and at the checkpoint'
)
_NO_FIT_IN_PART = 'no prediction fits a person of that part: look at area and crowdIndex in the annotation file'
_NO_JOINT = (
    'no prediction comes close. That is normal in the first epochs only; else look at the order of the joints in '
    'metainfo and annotation file, at their visibility, and at the size that distances are measured in (box, head)'
)
_NO_CLASS = (
    'no image has its class among the likeliest. Look at the order of the classes (names of the folders) of these data '
    'and of those that the checkpoint was trained on'
)
_UNLABELLED = 'no joint of the data is labelled (visibility 0 throughout), so nothing was measured'
_NO_NUMBER = 'nothing was measured: look for joints that nobody has labelled, and for predictions that are NaN'


class Remark(NamedTuple):
    """What is said of an evaluation, and how loud: ``logging.INFO`` where it is right for some data."""

    sentence: str
    level: int = logging.WARNING


def is_unmeasured(name: str, value: Any) -> bool:
    """Whether a metric's value stands for no measurement: NaN, or -1 of a metric that cannot be negative.

    Args:
        name: The metric, such as ``coco/AP``.
        value: Its value; what is no number is not judged.
    """
    number = _number(value)
    return number is not None and (math.isnan(number) or (number == -1 and _is_known(name)))


def explain_metrics(metrics: Mapping[str, Any], labelled: bool = True) -> list[Remark]:
    """Remarks on the values of an evaluation that are no result, with what to look at.

    Args:
        metrics: Values by name, as an evaluator returns them.
        labelled: Whether any joint of the data was labelled, as far as is known.

    Returns:
        At most two for each evaluator, of what was not measured and of what is 0; none where nothing is odd, or the
        metrics are unknown. What holds for several alike, such as cycles or thresholds, is said once and names them.
    """
    groups: dict[str, dict[str, float]] = {}
    for name, value in metrics.items():
        number = _number(value)
        if number is not None:
            groups.setdefault(name.rpartition('/')[0], {})[name] = number
    alike: dict[Remark, list[tuple[str, Remark]]] = {}
    for prefix, group in groups.items():
        for remark in _explain_group(group, labelled):
            bare = remark._replace(sentence=remark.sentence.replace(f'{prefix}/', ''))
            alike.setdefault(bare, []).append((prefix, remark))
    return [_said_once(remarks) for remarks in alike.values()]


def _said_once(remarks: Sequence[tuple[str, Remark]]) -> Remark:
    """The first of remarks that differ in the evaluator alone, with the names of the other evaluators."""
    (_, first), *others = remarks
    if not others:
        return first
    return first._replace(sentence=f'{first.sentence} (the same of {first_few([prefix for prefix, _ in others])})')


def _explain_group(values: dict[str, float], labelled: bool) -> Iterator[Remark]:
    """The remarks on the metrics of one evaluator."""
    missing = [name for name, value in values.items() if is_unmeasured(name, value)]
    if any(math.isnan(values[name]) for name in missing):
        yield Remark(f'{_are(missing, "no number")}: {_NO_NUMBER}')
    elif missing:
        of_parts = all(_PART.search(_last(name)) for name in missing)
        level = logging.INFO if of_parts else logging.WARNING
        yield Remark(f'{_are(missing, "-1")}: {_why_missing(missing)}', level)
    known = [name for name in values if name not in missing and _is_known(name)]
    zero = [name for name in known if values[name] == 0 and not (labelled and _ERROR.search(_last(name)))]
    if len(zero) < len(known):
        zero = [name for name in zero if not _STRICT.search(_last(name))]
    if zero:
        why = _why_zero(zero, len(zero) == len(known)) if labelled else _UNLABELLED
        yield Remark(f'{_are(zero, "exactly 0")}: {why}')


def _why_missing(names: list[str]) -> str:
    parts = [_PART.search(_last(name)) for name in names]
    if not all(parts):
        return _NOBODY if any(_OKS.search(_last(name)) for name in names) else _NO_NUMBER
    kinds = dict.fromkeys(_PARTS.get(part[0], part[0]) for part in parts if part)
    return _NOBODY_OF_PART.format(' or '.join(kinds))


def _why_zero(names: list[str], everything: bool) -> str:
    last = [_last(name) for name in names]
    if any(map(_CLASSES.search, last)):
        return _NO_CLASS
    if not any(map(_OKS.search, last)):
        return _NO_JOINT
    return _NO_FIT_IN_PART if not everything and all(map(_PART.search, last)) else _NO_FIT


def _number(value: Any) -> float | None:
    """A number of any library as Python's; None for what is none."""
    try:
        return None if isinstance(value, (str, bool)) else float(value)
    except (TypeError, ValueError):
        return None


def _is_known(name: str) -> bool:
    return any(kind.search(_last(name)) for kind in (_OKS, _CLASSES, _SHARE, _ERROR))


def _last(name: str) -> str:
    return name.rpartition('/')[2]


def _are(names: list[str], value: str) -> str:
    """``coco/AP (M), coco/AR (M) are -1``."""
    return f'{first_few(names)} {"is" if len(names) == 1 else "are"} {value}'
