"""A reproduced row as Markdown."""

from collections.abc import Sequence
from typing import Any

from .report import mean_and_spread


def row_markdown(record: dict[str, Any]) -> str:
    """The row beside the paper's numbers, and below it what it was made with.

    Args:
        record: The content of ``row.json``; see :mod:`sdpose.apis.tables.reproduce`.
    """
    lines = [
        f'### {record["row"]} ({record["table"]}, scale {record["scale"]}, data {record["data_set"]})',
        '',
        '| | paper | measured | measured, annotated boxes |',
        '| --- | --- | --- | --- |',
    ]
    for column in dict.fromkeys([*record['columns'], *record['paper']]):
        published = record['paper'].get(column)
        lines.append(
            f'| {column} | {"-" if published is None else f"{published:.1f}"} '
            f'| {_measured(record, column, "evaluation")} | {_measured(record, column, "annotated")} |'
        )
    lines += ['', *(f'- {name}: {text}' for name, text in _about(record).items()), '']
    return '\n'.join(lines)


def measured(record: dict[str, Any], metric: str, boxes: str) -> list[float]:
    """A metric of every seed in the cycle that is read, in per cent.

    Args:
        record: The content of ``row.json``.
        metric: Name without a cycle.
        boxes: ``'evaluation'`` or ``'annotated'``.
    """
    values = [of_cycle(seed, metric, record['read'], boxes) for seed in record['seeds']]
    return [(1 if record['percent'] else 100) * value for value in values if value is not None]


def of_cycle(record: dict[str, Any], metric: str, read: str, boxes: str = 'evaluation') -> float | None:
    """A metric of a run's record, in the cycle that is read; None if it was not reported.

    Args:
        record: That of :meth:`sdpose.apis.tables.run.Run.record`.
        metric: Name without a cycle.
        read: ``'first'`` or ``'last'``.
        boxes: ``'evaluation'``, or ``'annotated'`` for what was measured on annotated boxes.
    """
    cycles = sorted(map(int, record['metric']))
    metrics = record.get(boxes, {}).get('metrics', {})
    return metrics.get(f'cycle{cycles[0 if read == "first" else -1]}/{metric}', metrics.get(metric))


def _measured(record: dict[str, Any], column: str, boxes: str) -> str:
    if column in record['complexity'] and boxes == 'evaluation':
        return f'{record["complexity"][column]:.2f}'
    metric = record['columns'].get(column)
    if metric is None:
        return ''
    # What this project measures is on other people than the server of the table does.
    return mean_and_spread(measured(record, metric, boxes)) + ('' if record['scored'] else ' (val)')


def _about(record: dict[str, Any]) -> dict[str, str]:
    seeds: Sequence[dict[str, Any]] = record['seeds']
    made = seeds[0]['environment']
    machine = ', '.join(made['gpus']) or f'{made["cpu"]}, {made["cores"]} cores'
    about = {
        'config': f'{record["config"]}, fingerprint {record["fingerprint"]}',
        'overrides': ', '.join(f'{key}={value}' for key, value in record['overrides'].items()) or 'none',
        'data': _data(record['data']),
        'measured on': '; '.join(
            dict.fromkeys(
                _source(seed[boxes]) for boxes in ('evaluation', 'annotated') for seed in seeds if boxes in seed
            )
        ),
        'seeds': ', '.join(_seed(seed) for seed in seeds),
        'processes': str(record['gpus']),
        'machine': f'{machine}, {made["system"]}',
        'versions': ', '.join(
            [f'python {made["python"]}', *(f'{name} {text}' for name, text in made['packages'].items())]
        ),
        'code': f'sdpose {made["sdpose"]}, commit {made["commit"]}',
        'published': ', '.join(seed['published'] for seed in seeds),
    }
    submissions = [seed['submission'] for seed in seeds if 'submission' in seed]
    return {**about, **({"for COCO's server": ', '.join(submissions)} if submissions else {})}


def _seed(seed: dict[str, Any]) -> str:
    return f'{seed["seed"]} ({seed["seconds"]} s{" without what interrupted starts took" if seed["resumed"] else ""})'


def _source(evaluation: dict[str, Any]) -> str:
    return evaluation.get('boxes') or evaluation.get('images', '')


def _data(data: dict[str, Any]) -> str:
    if data['differs']:
        return 'NOT the known data: ' + '; '.join(data['differs'])
    if data.get('drawn'):
        return 'drawn, ' + ', '.join(f'{key} {value}' for key, value in data['drawn'].items())
    return 'the known files'
