"""What ``--halt`` makes of a config: any-time inference by several thresholds, each beside a control, as one curve."""

import copy
import json
import logging
import os
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from sdpose.config.nodes import input_size
from sdpose.engine.bare_model import bare_model
from sdpose.engine.loops import HaltingTestLoop
from sdpose.errors import ConfigError
from sdpose.io.atomic import atomic_write
from sdpose.models.halting import Halting
from sdpose.visualization.figures.base import write_figure
from sdpose.visualization.figures.halting import draw_halting

from .all_cycles import count_cycles
from .complexity import count_macs


def check_halting(cfg: Config, thresholds: Sequence[float] | None, by: str, **others: Any) -> Halting | None:
    """The rule that is asked for; None for none.

    Args:
        cfg: The config of the test.
        thresholds: Those of ``--halt``.
        by: That of ``--halt-by``.
        **others: Options that belong to one result, by their names as arguments.

    Raises:
        ConfigError: If the model has one cycle or is a classifier, a threshold is out of range, another option does
            not go with it, or the rule has no threshold.
    """
    if thresholds is None:
        if by != 'peaks':
            raise ConfigError(f'--halt-by {by} says what the threshold of --halt is compared with: add --halt')
        return None
    if other := next((name for name, value in others.items() if value), None):
        raise ConfigError(
            f'--halt makes results for every threshold and its control: leave out --{other.replace("_", "-")}'
        )
    if cfg.get('launcher', 'none') != 'none':
        raise ConfigError('--halt is for one process: start it by tools/test.py, without --launcher')
    num_cycles = count_cycles(cfg, '--halt')
    if cfg.model.get('type') == 'DistillClassifier':
        raise ConfigError('--halt reads the scores of joints, but model.type is DistillClassifier')
    halting = Halting(tuple(thresholds), by)
    try:
        halting.require_fit(num_cycles)
    except ValueError as error:
        raise ConfigError(f'--halt: {error}') from error
    return halting


def use_halting(cfg: Config, evaluators: list[dict[str, Any]], halting: Halting) -> None:
    """Let a config's test evaluate every threshold and its control, with these metrics for each."""
    loop = dict(type='HaltingTestLoop', thresholds=list(halting.thresholds), by=halting.by)
    cfg.test_cfg = {**(cfg.get('test_cfg') or {}), **loop}
    names = [f'{kind}{each:g}' for kind in ('halt', 'chance') for each in halting.thresholds]
    metrics = [copy.deepcopy(evaluators) for _ in names]
    cfg.test_evaluator = dict(type='CycleEvaluator', metrics=metrics, names=names)


def report_halting(runner: Runner, metrics: dict[str, float]) -> None:
    """Log the curve as a table, and write it as ``halting.json`` and ``halting.png`` beside the log."""
    loop = runner.test_loop
    assert isinstance(loop, HaltingTestLoop)
    costs = cycle_costs(bare_model(runner), runner.cfg)  # (C,)
    shares = loop.counts.double() / loop.counts.sum(dim=1, keepdim=True)  # (2 T, C)
    means = (shares @ torch.tensor(costs, dtype=torch.float64)).tolist()
    metric = next(iter(metrics)).partition('/')[2]
    count = len(loop.halting.thresholds)
    rows = []
    for number, threshold in enumerate(loop.halting.thresholds):
        row: dict[str, Any] = dict(threshold=threshold, macs=means[number], done_after=shares[number].tolist())
        row.update({kind: float(metrics[f'{kind}{threshold:g}/{metric}']) for kind in ('halt', 'chance')})
        assert loop.counts[number].equal(loop.counts[count + number])  # the control costs as much, person for person
        rows.append(row)
    print_log(f'{metric} by {loop.halting.by}, against mean multiply-adds:\n{_table(rows)}', runner.logger)
    if runner.cfg.test_dataloader.get('batch_size') == 1:
        print_log(
            'the control chooses among the people of a batch: with test_dataloader.batch_size=1 these are those of the '
            'rule, so "by chance" says nothing; set it to 32 or so',
            runner.logger,
            logging.WARNING,
        )
    with atomic_write(os.path.join(runner.log_dir, 'halting.json'), 'w') as file:
        json.dump(dict(metric=metric, by=loop.halting.by, macs_of_cycles=costs, rows=rows), file, indent=2)
    values, control = ([row[kind] for row in rows] for kind in ('halt', 'chance'))
    figure = draw_halting(loop.halting.thresholds, [row['macs'] / 1e9 for row in rows], values, control, metric)
    write_figure(figure, os.path.join(runner.log_dir, 'halting.png'))
    print_log(f'curve: {os.path.join(runner.log_dir, "halting.png")}', runner.logger)


def cycle_costs(model: Any, cfg: Config) -> list[int]:
    """True multiply-adds of one image that is done after 1, 2, ... cycles, the head read after each of them."""
    counted = copy.deepcopy(model).cpu()
    counted.head.supervise, counted.head.gamma = 'all', 1.0
    counted.neck.gradient_cycles = None  # the head reads cycles without gradient, too
    width, height = input_size(cfg)
    image = torch.zeros(1, 3, height, width)
    costs = []
    for cycles in range(1, counted.neck.num_cycles + 1):
        counted.neck.training_cycles = cycles
        costs.append(count_macs(counted, image, training=True)[1])
    return costs


def _table(rows: list[dict[str, Any]]) -> str:
    """A row per threshold: cost, share of people after each cycle, the metric by the rule and by chance."""
    cycles = range(1, len(rows[0]['done_after']) + 1)
    head = ['threshold', 'G', *(f'done after {cycle}' for cycle in cycles), 'rule', 'by chance']
    lines = [head]
    for row in rows:
        shares = [f'{100 * share:.1f} %' for share in row['done_after']]
        cells = [f'{row["threshold"]:g}', f'{row["macs"] / 1e9:.4g}', *shares]
        lines.append([*cells, f'{row["halt"]:.4f}', f'{row["chance"]:.4f}'])
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    return '\n'.join('  '.join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines)
