"""What the metafiles beside the configs list: models, their sizes, and results that are quoted or measured."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from .find import config_dir

# ``AP`` is measured with this code; what stands in brackets says whose a quoted result is.
_METRIC = re.compile(r'(?P<name>[^(]*[^( ])(?: \((?P<source>.*)\))?')


class Result(NamedTuple):
    """One result of one model.

    Attributes:
        model: The name of its config.
        method: Of its collection.
        dataset: Such as ``COCO``.
        metric: Such as ``AP``.
        value: The figure.
        source: Who says so, such as ``paper``; empty if it was measured with this code.
        params: Trainable parameters.
        macs: Multiply-adds of the deployed pass in the published convention.
    """

    model: str
    method: str
    dataset: str
    metric: str
    value: float
    source: str
    params: int
    macs: int


def iter_entries() -> Iterator[dict[str, Any]]:
    """What all metafiles say of each model, method by method, in the order in which they are listed."""
    for file in sorted(config_dir().rglob('metafile.yml')):
        yield from yaml.safe_load(file.read_text(encoding='utf-8'))['Models']


def iter_results() -> Iterator[Result]:
    """The results of all metafiles, method by method, in the order in which they are listed."""
    for entry in iter_entries():
        yield from _results(entry)


def _results(entry: dict[str, Any]) -> Iterator[Result]:
    metadata = entry['Metadata']
    for result in entry.get('Results') or ():
        for name, value in (result.get('Metrics') or {}).items():
            parts = _METRIC.fullmatch(name)
            assert parts is not None, f'{entry["Name"]}: {name!r}'
            yield Result(
                model=entry['Name'],
                method=entry['In Collection'],
                dataset=result['Dataset'],
                metric=parts['name'],
                value=float(value),
                source=parts['source'] or '',
                params=metadata['Parameters'],
                macs=metadata['FLOPs'],
            )
