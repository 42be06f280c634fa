"""Evaluation of a checkpoint; what ``tools/test.py`` runs."""

import copy
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from sdpose.compat.workers import ending_workers
from sdpose.config.building import building
from sdpose.config.nodes import as_list, holds_metrics, with_metrics
from sdpose.config.options import prepare
from sdpose.errors import ConfigError, UserError
from sdpose.evaluation import ResultFile, cycle_table, describe_data
from sdpose.io.atomic import atomic_write
from sdpose.io.folders import require_writable
from sdpose.models.halting import Halting
from sdpose.preflight import check_all
from sdpose.preflight.first_sample import check_first_sample

from .all_cycles import count_cycles, of_cycle, use_all_cycles
from .drawing import check_drawing, require_picture_folder, say_picture_folder
from .exported import check_request, is_exported, say_halted, use_exported
from .format_only import check_written, is_format_only, use_format_only, use_test_dev
from .halting import check_halting, report_halting, use_halting
from .precision import set_evaluation_precision
from .report import check_report, plan_report
from .report.speed import say_speed, speed_of
from .runners import build_runner


def test(
    config: str,
    checkpoint: str,
    out: str | None = None,
    dump: str | None = None,
    all_cycles: bool = False,
    format_only: bool = False,
    test_dev: bool = False,
    report: str | None = None,
    skip_checks: bool = False,
    halt: Sequence[float] | None = None,
    halt_by: str = 'peaks',
    **run: Any,
) -> dict[str, float]:
    """Evaluate a checkpoint, or an exported file, which is run as on a device, on a config's test data.

    Args:
        config: A config file, or the name of one of the package's configs.
        checkpoint: Path or address of the checkpoint; or an exported ``.onnx`` or ``.xml`` file, or its folder.
        out: Write the results as JSON, for COCO-style data as pycocotools reads them, here.
        dump: Write every raw prediction as a pickle here.
        all_cycles: Evaluate every cycle of the model in one pass; metrics are named ``cycle1/coco/AP`` and so on, and
            each cycle has its own ``out`` and ``dump``, ``results.cycle1.json`` for ``results.json``.
        format_only: Write the results, check COCO's and score nothing; ``out`` is in the work folder by default.
        test_dev: The same for COCO test-dev in place of the config's test data.
        report: Write a page that tells why the AP is what it is, and the results, into this folder.
        skip_checks: Do not look at data, checkpoint and config before the run.
        halt: Thresholds of ``Halting``: ``halt0.5/coco/AP``, ``chance0.5/coco/AP`` by chance; one for an exported file.
        halt_by: What they are compared with, ``'peaks'`` or ``'motion'``.
        **run: As :func:`sdpose.config.options.prepare`: ``work_dir``, ``gt_bbox``, ``cfg_options`` and others.

    Returns:
        The metrics by name, none with ``format_only``; also in ``metrics.json`` beside the log, with what was tested.

    Raises:
        UserError: For anything the user can cure: a path, a config key, the data, a checkpoint.
    """
    checkpoint = check_request(checkpoint, dict(run, all_cycles=all_cycles, halt=halt, halt_by=halt_by))
    cfg = _prepared(config, checkpoint, test_dev, run)
    asked = dict(out=out, dump=dump, report=report, all_cycles=all_cycles, format_only=format_only, test_dev=test_dev)
    halting = _check_asked(cfg, halt, halt_by, asked)
    if format_only := format_only or test_dev or is_format_only(cfg):
        out = use_format_only(cfg, out)
    out = check_report(cfg, report, out, all_cycles=all_cycles, format_only=format_only)
    evaluators, result_files = _with_outputs(cfg, out, dump, count_cycles(cfg) if all_cycles else None)
    set_evaluation_precision(cfg, 'test')
    check_all(cfg, ('test',), skip_checks)
    _set_evaluators(cfg, evaluators, all_cycles, halting)
    runner = _build_runner(cfg, run, skip_checks, halt)
    told = plan_report(runner, report, out) if report else None
    with ending_workers(runner):
        metrics = runner.test()
    if runner.rank == 0:
        _report(runner, metrics, checkpoint, result_files, format_only)
        say_picture_folder(runner, run.get('show_dir'))
        _report_ways(runner, metrics, all_cycles, halting)
        if told:
            told.write(runner.logger, say_speed(speed_of(runner)))
    return metrics


def _set_evaluators(
    cfg: Config, evaluators: list[list[dict[str, Any]]], all_cycles: bool, halting: Halting | None
) -> None:
    """Let the metrics be computed of the deployed cycle, of each with its own, or by every threshold."""
    if halting:
        use_halting(cfg, evaluators[0], halting)
    elif all_cycles:
        use_all_cycles(cfg, evaluators)
    else:
        cfg.test_evaluator = with_metrics(cfg.get('test_evaluator'), evaluators[0])


def _prepared(config: str, checkpoint: str, test_dev: bool, run: dict[str, Any]) -> Config:
    """The config as the options have it, with the checkpoint, whose pictures and work folder can be written."""
    cfg = prepare(config, **run)
    check_drawing(cfg)
    if test_dev:
        use_test_dev(cfg, (run.get('cfg_options') or {}).get('data_root'), run.get('gt_bbox', False))
    require_writable(cfg.work_dir, '--work-dir')
    cfg.load_from, cfg.resume = checkpoint, False
    return cfg


def _check_asked(cfg: Config, halt: Sequence[float] | None, halt_by: str, asked: dict[str, Any]) -> Halting | None:
    """Check that what is asked for goes together and with the config; the rule of any-time inference, if that is."""
    one_set = {f'--{name.replace("_", "-")}': asked[name] for name in ('dump', 'all_cycles', 'format_only')}
    halt = None if is_exported(cfg.load_from) else halt  # a file goes by its threshold itself
    _check_one_set(cfg, {**one_set, '--halt': halt})
    return check_halting(cfg, halt, halt_by, **asked, format_only_metric=is_format_only(cfg))


def _report_ways(runner: Runner, metrics: dict[str, float], all_cycles: bool, halting: Halting | None) -> None:
    """Log the metrics of every cycle, or of every threshold, as a table, where they were asked for."""
    say_halted(runner)
    if halting:
        report_halting(runner, metrics)
    elif all_cycles and metrics:
        deployed = runner.cfg.model.neck.get('test_cycles', 1)
        print_log(f'metrics of every cycle:\n{cycle_table(metrics, deployed)}', runner.logger)


def _check_one_set(cfg: Config, options: dict[str, Any]) -> None:
    """Check that what is asked for does not need the predictions of all data sets in one metric.

    Raises:
        ConfigError: If it does, and the evaluator hands the predictions of each data set to a metric of its own.
    """
    asked = next((name for name, value in options.items() if value), None)
    if asked is not None and holds_metrics(cfg.get('test_evaluator')):
        raise ConfigError(
            f'{asked} needs the predictions of one data set, but test_evaluator.type is {cfg.test_evaluator.type}, '
            'which has a metric for each of several: test them one by one'
        )


def _build_runner(cfg: Config, run: dict[str, Any], skip_checks: bool, halt: Sequence[float] | None) -> Runner:
    """The runner of a config with test data, whose first sample was looked at.

    Raises:
        ConfigError: If a part refuses its values, or the config has no test data.
        UserError: If an exported file cannot be run, or is not of the config.
    """
    use_exported(cfg, run.get('cfg_options'), halt[0] if halt else None)
    with building():
        runner = build_runner(cfg)
        if runner.test_loop is None:
            raise ConfigError(f'{cfg.filename} has no test_dataloader, test_cfg and test_evaluator')
    require_picture_folder(runner, run.get('show_dir'))
    if not skip_checks:
        check_first_sample(runner.test_dataloader, runner.model, 'test_dataloader')
    return runner


def _with_outputs(
    cfg: Config, out: str | None, dump: str | None, num_cycles: int | None
) -> tuple[list[list[dict[str, Any]]], list[ResultFile]]:
    """The config's evaluators with result files added to them: once, or for each of ``num_cycles`` cycles.

    Raises:
        UserError: If a file has the wrong ending or its folder cannot be written, or the config has no COCO metric to
            write results.
    """
    given = as_list(cfg.get('test_evaluator'))
    if num_cycles is None:
        evaluators, files = [given], [_add_outputs(given, out, dump)]
    else:
        evaluators = [copy.deepcopy(given) for _ in range(num_cycles)]
        files = [
            _add_outputs(metrics, of_cycle(out, number), of_cycle(dump, number))
            for number, metrics in enumerate(evaluators, start=1)
        ]
    if not any(evaluators):
        raise ConfigError(
            f'{cfg.filename} has no test_evaluator: there is nothing to measure (--dump writes predictions)'
        )
    return evaluators, list(filter(None, files))


def _add_outputs(evaluators: list[dict[str, Any]], out: str | None, dump: str | None) -> ResultFile | None:
    """Add the result files to a list of evaluators; see :func:`_with_outputs`."""
    result_file = ResultFile(out) if out else None
    if result_file:
        result_file.attach(evaluators)
    if dump:
        if not dump.endswith(('.pkl', '.pickle')):
            raise UserError(
                f'--dump {dump}: raw predictions are a pickle, the name must end in .pkl (--out writes '
                'COCO results as .json)'
            )
        require_writable(Path(dump).absolute().parent, f'--dump {dump}')
        evaluators.append(dict(type='DumpResults', out_file_path=dump))
    return result_file


def _report(
    runner: Runner, metrics: dict[str, float], checkpoint: str, result_files: list[ResultFile], format_only: bool
) -> None:
    """Write the metrics, where there are any, beside the log, name every file that was written, and check COCO's."""
    if metrics:
        record = dict(
            metrics={name: float(value) for name, value in metrics.items()},
            **describe_data(runner.test_dataloader.dataset),
            checkpoint=checkpoint,
            config=runner.cfg.filename,
            **({'exported': runner.cfg.exported} if 'exported' in runner.cfg else {}),
        )
        path = os.path.join(runner.log_dir, 'metrics.json')
        with atomic_write(path, 'w') as file:
            json.dump(record, file, indent=2)
        print_log(f'metrics: {path}', runner.logger)
    for result_file in result_files:
        print_log(f'results: {result_file.finish()}', runner.logger)
    for result_file in result_files if format_only else ():
        check_written(runner, result_file.path)
