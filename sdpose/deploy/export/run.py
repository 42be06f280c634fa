"""From a checkpoint to verified files: build, write, run, compare, and only then move into place."""

import contextlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader

import sdpose.deploy
from sdpose.config.load import load_config
from sdpose.converters.publishing import deployed_weights, filled_model
from sdpose.errors import UserError
from sdpose.io.checkpoint import check_checkpoint_path, meta_of, weights_of
from sdpose.io.folders import partial_folder, require_writable, signals_unwind
from sdpose.preflight.metric_names import to_per_cent

from .accuracy import Scored, line
from .formats import BY_NAME, Format, Session
from .graph import DeployedGraph, Flip, FurtherCycle, flip_of, natural_kind
from .judge import Run, compare, require_parity, run_cycles, run_on
from .metadata import FILE, describe, digest, flip_indices, joints_of
from .pictures import Pictures, calibration, judging_pictures
from .request import ExportRequest

RUNTIME = 'pose_runtime.py'
REPORT = 'parity.json'
_FURTHER = '-further'  # behind the name of the file that goes on
_SHARE = {'.xml': '.param', '.param': '.xml'}  # formats whose weights lie in a .bin of the same name
_JUDGED = 64  # pictures that outputs are compared on
_CALIBRATED = 200  # pictures that int8 is calibrated on


class Exported(NamedTuple):
    """A file that was written.

    Attributes:
        file: Its path.
        report: What stands in ``parity.json``.
    """

    file: Path
    report: dict[str, Any]


class _Job(NamedTuple):
    """What every format of an export shares."""

    cfg: Config
    model: Any
    graph: DeployedGraph
    reference: DeployedGraph
    flip: Flip
    metadata: dict[str, Any]
    request: ExportRequest


def export(
    config: str, checkpoint: str, out: str, request: ExportRequest, cfg_options: dict[str, Any] | None = None
) -> list[Exported]:
    """Write a trained model as files that run without PyTorch, each with metadata and a report of its parity.

    Args:
        config: A config file, or the name of one of the package's configs.
        checkpoint: A training's checkpoint or a published one, a path or address.
        out: The folder; with several formats each gets a folder of its name in it. Other files there stay.
        request: Formats, precision and the other options.
        cfg_options: Overrides of the config.

    Returns:
        One entry per format.

    Raises:
        UserError: If an option, the config or the checkpoint is wrong, a package is missing, or a file in full
            precision answers otherwise than PyTorch. Nothing is left behind then.
    """
    formats = [BY_NAME[name] for name in request.formats]
    for each in formats:
        each.require(request)
    cfg = load_config(config, cfg_options)
    check_checkpoint_path(checkpoint)
    job = _prepare(cfg, config, checkpoint, request)
    target = Path(out).absolute()
    require_writable(target.parent, f'--out {out}')
    if target.exists() and not target.is_dir():
        raise UserError(f'--out {out} is a file: name a folder')
    for each in formats:
        _keep_weights(target / _place(each, request) / f'{_stem(job)}{each.suffix}')
    with signals_unwind(), partial_folder(target) as folder:
        done = []
        with judging_pictures(cfg) as pictures:
            for each in formats:
                place = _place(each, request)
                (folder / place).mkdir(exist_ok=True)
                report = _write(each, job, folder / place, pictures)
                done.append(Exported(target / place / report['file'], report))
        _move(folder, target)
    return done


def _prepare(cfg: Config, config: str, checkpoint: str, request: ExportRequest) -> _Job:
    """The graph of the checkpoint's model, and what its files say."""
    loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu', logger='silent')
    model: Any = filled_model(cfg, weights_of(loaded, checkpoint), checkpoint)
    natural = natural_kind(model)
    joints = joints_of(cfg)
    flip = flip_of(cfg, flip_indices(joints))
    options = (flip, request.flip_test, request.cycles)
    graph = DeployedGraph(model, cfg, request.outputs or natural, *options, rtmlib=request.outputs == 'simcc')
    reference = graph if graph.kind == natural and not graph.swap else DeployedGraph(model, cfg, natural, *options)
    metadata = describe(cfg, config, graph, flip, joints, request.batch)
    figures = meta_of(loaded).get('metrics')
    metadata.update(
        precision=request.precision,
        metrics=dict(figures) if figures else None,
        weights_sha256=digest(deployed_weights(model)),
    )
    return _Job(cfg, model, graph, reference, flip, metadata, request)


def _place(to: Format, request: ExportRequest) -> Path:
    """The folder of a format below that of the export."""
    return Path(to.name) if len(request.formats) > 1 else Path()


def _stem(job: _Job) -> str:
    """The name of a file without its ending."""
    precision = job.request.precision
    return str(job.metadata['config']) + ('' if precision == 'fp32' else f'-{precision}')


def _keep_weights(file: Path) -> None:
    """Refuse a file whose weights would replace those of another format, which might be read without a word.

    Raises:
        UserError: Naming the file of the other format.
    """
    other = file.with_name(f'{file.stem}{_SHARE.get(file.suffix, file.suffix)}')
    if other != file and other.is_file():
        raise UserError(
            f'--out {file.parent} holds {other.name}, whose weights are in {file.stem}.bin, where those of {file.name} '
            'would be written: name another folder'
        )


def _write(to: Format, job: _Job, folder: Path, pictures: Pictures) -> dict[str, Any]:
    """Write one format into a folder, judge it there, and say how it answers."""
    request = job.request
    stem = _stem(job)
    metadata = dict(job.metadata, runtime=to.name, file=f'{stem}{to.suffix}')
    source, outputs = to.names(job.graph)
    metadata.update(input=dict(metadata['input'], name=source), output=dict(metadata['output'], names=outputs))
    if request.cycles > 1:
        metadata.update(further=dict(file=f'{stem}{_FURTHER}{to.suffix}', cycles=request.cycles))
    if options := to.options(request.precision):
        metadata['options'] = options
    text = json.dumps(metadata, indent=2)
    images, calibrated = None, None
    if request.precision == 'int8' and to.calibrates:
        images, calibrated = calibration(job.cfg, job.model.data_preprocessor, _CALIBRATED)
        images = job.graph.arranged(images)
    file = to.write(job.graph, request, folder / stem, text, images)
    session = to.open(file, request.precision)
    crops = pictures.crops(job.model.data_preprocessor, _JUDGED)
    result = _judged(job, session.run, crops, file.name)
    report = dict(
        file=file.name,
        precision=request.precision,
        runtime=session.runtime,
        reference=f'PyTorch {torch.__version__}',
        images=dict(source=pictures.source, count=len(crops)),
        size_kib=_size(folder),
        **result,
    )
    if request.precision != 'fp32':
        report['accuracy'] = _accuracy(job, session.run, pictures, result)
    if calibrated:
        report['calibration'] = dict(source=calibrated, count=len(images if images is not None else ()))
    if request.cycles > 1:
        report['further'] = _write_further(to, job, folder, metadata, session, pictures)
        report['size_kib'] = _size(folder)
    (folder / FILE).write_text(f'{text}\n', encoding='utf-8')
    (folder / REPORT).write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    runtime = Path(str(sdpose.deploy.__file__)).with_name('runtime.py')
    if runtime.is_file():
        shutil.copyfile(runtime, folder / RUNTIME)
    return report


def _write_further(
    to: Format, job: _Job, folder: Path, metadata: dict[str, Any], session: Session, pictures: Pictures
) -> dict[str, Any]:
    """Write the file of a further cycle, and judge what the last cycle answers with both."""
    request, cycles = job.request, job.request.cycles
    graph = FurtherCycle(job.graph)
    path = folder / Path(metadata['further']['file']).stem
    given = dict(metadata['input'], name=graph.inputs[0], names=list(graph.inputs))
    own = {key: value for key, value in metadata.items() if key != 'further'}
    own.update(file=metadata['further']['file'], input=given, continues=metadata['file'])
    file = to.write(graph, request, path, json.dumps(own, indent=2), None)
    run = run_on(session.run, to.open(file, request.precision).run, len(graph.inputs), cycles)
    result = _judged(job, run, pictures.crops(job.model.data_preprocessor, _JUDGED), file.name, cycles)
    report = dict(file=file.name, cycles=cycles, **result)
    if request.precision != 'fp32':
        report['accuracy'] = _accuracy(job, run, pictures, result, cycles)
    return report


def _judged(job: _Job, run: Run, crops: np.ndarray, file: str, cycles: int = 1) -> dict[str, Any]:
    """How a run of so many cycles answers, which in full precision must be as PyTorch does."""
    result = compare(job.graph, job.reference, job.metadata['codec'], run, crops, job.request.batch, cycles)
    if job.request.precision == 'fp32':
        require_parity(result, job.graph, file)
    return result


def _size(folder: Path) -> int:
    """KiB of the files in a folder."""
    return round(sum(each.stat().st_size for each in folder.iterdir()) / 1024)


def _accuracy(job: _Job, run: Run, pictures: Pictures, result: dict[str, Any], cycles: int = 1) -> dict[str, Any]:
    """The score of a run of so many cycles beside that of PyTorch in full precision."""
    moved = result.get('joints', {}).get('moved')
    if not pictures.evaluators:
        return dict(line=f'not scored: {pictures.source} have no labels for this model', moved=moved)
    scored = Scored(job.model, job.graph, job.metadata['codec'], job.flip, job.request.batch)
    with contextlib.redirect_stdout(io.StringIO()):  # the metrics print tables
        before, after = (scored.score(pictures, each) for each in (run_cycles(job.graph, cycles), run))
    best = ((job.cfg.get('default_hooks') or {}).get('checkpoint') or {}).get('save_best')
    name = next((each for each in ([best] if isinstance(best, str) else best or ()) if each in before), [*before][0])
    said = line(name, before[name], after[name], moved, to_per_cent(name, pictures.evaluators))
    return dict(metric=name, fp32=before[name], file=after[name], moved=moved, images=pictures.source, line=said)


def _move(folder: Path, target: Path) -> None:
    """Move files into their place, each whole; the metadata last, so that they never describe what is not there."""
    files = [path for path in folder.rglob('*') if path.is_file()]
    for path in sorted(files, key=lambda each: (each.name == FILE, each)):
        place = target / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)


def _findings(report: dict[str, Any]) -> dict[str, str]:
    """What was found of outputs, joints and accuracy, in words."""
    rows = {}
    for name, value in report['outputs'].items():
        rows[name] = f'{value["difference"]:.1e} at most, of numbers to {value["largest"]:.2g}'
    if joints := report.get('joints'):
        rows['joints'] = (
            'none is judged: all move under the last digit, as those of an untrained model do'
            if joints['difference'] is None
            else f'{joints["difference"]:.1e} pixels at most, {joints["judged"]} of {joints["all"]} judged'
        )
    if calibrated := report.get('calibration'):
        rows['calibrated on'] = f'{calibrated["count"]} of {calibrated["source"]}'
    if accuracy := report.get('accuracy'):
        rows['accuracy'] = accuracy['line']
    return rows


def table(report: dict[str, Any]) -> str:
    """A report in a few lines."""
    rows = {
        'file': f'{report["file"]}, {report["precision"]}, {report["size_kib"]} KiB of weights and graphs',
        'ran on': report['runtime'],
        'compared with': f'{report["reference"]}, {report["images"]["count"]} of {report["images"]["source"]}',
    }
    rows.update(_findings(report))
    if further := report.get('further'):
        rows['further cycles'] = f'{further["file"]}; after cycle {further["cycles"]}:'
        rows.update((f'- {name}', said) for name, said in _findings(further).items())
    width = max(15, *(len(name) + 2 for name in rows))
    return '\n'.join(f'{name:<{width}}{value}' for name, value in rows.items())
