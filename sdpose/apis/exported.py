"""What testing an exported file makes of a config: the file in the place of the model, where the two agree."""

import json
import logging
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from sdpose.config.joint_names import joint_names
from sdpose.config.nodes import inner_datasets, input_size, split_datasets
from sdpose.deploy.codec import under_mmposes_name
from sdpose.deploy.exported_model import ExportedModel
from sdpose.deploy.runtime import METADATA_FILE, ExportedFile, find_exported
from sdpose.engine.bare_model import bare_model
from sdpose.errors import ConfigError, UserError
from sdpose.models.halting import say_done
from sdpose.preflight.metainfo import load_metainfo

# Endings of exported files, those included that no runtime here runs: they are no checkpoints.
_ENDINGS = ('.onnx', '.xml', '.tflite', '.param')
_MODEL = ExportedModel.__name__
_FLIP = 'model.test_cfg.flip_test'  # the one override of the model that a file's test reads


def is_exported(path: str) -> bool:
    """Whether a path means an exported file, or the folder of one, and no checkpoint."""
    file = Path(path).expanduser()
    if file.is_dir():
        return any(file.glob(f'*/{METADATA_FILE}')) or any(
            each.name == METADATA_FILE or each.suffix in _ENDINGS for each in file.iterdir()
        )
    return file.suffix in _ENDINGS


def check_request(path: str, run: dict[str, Any]) -> str:
    """Check that an exported file is there, and refuse options that are for checkpoints.

    Args:
        path: An exported file, the folder of one, or a checkpoint, which is left alone.
        run: The options of a test, by name.

    Returns:
        The file that the path means.

    Raises:
        UserError: Naming the file or the first such option.
    """
    if not is_exported(path):
        return path
    for name, unset in (('all_cycles', False), ('allow_partial', False), ('launcher', 'none')):
        if run.get(name, unset) != unset:
            raise UserError(
                f'--{name.replace("_", "-")} is for checkpoints, but {path} is an exported file, which holds the '
                'deployed pass alone and runs in one process: leave the option out'
            )
    if halt := run.get('halt'):
        if len(halt) > 1 or run.get('halt_by', 'peaks') != 'peaks':
            raise UserError(
                f'--halt: {path} is an exported file, which goes by one score of peaks: give one, and no --halt-by; '
                'several thresholds, and motion, are for checkpoints'
            )
    try:
        return str(find_exported(path))
    except ValueError as error:
        raise UserError(str(error)) from error


def use_exported(cfg: Config, cfg_options: dict[str, Any] | None, halt: float | None = None) -> None:
    """Where a config is to load an exported file, put it in the place of the model, and log how it is run.

    ``cfg.exported`` says so afterwards: ``runtime``, ``precision``, ``flip_test``.

    Args:
        cfg: The config, with the file as ``load_from``.
        cfg_options: What the user set in it; ``model.test_cfg.flip_test`` outranks the file's metadata.
        halt: Run the file's further cycles for people with a lower mean score.

    Raises:
        UserError: If the file cannot be run, or has no further cycles.
        ConfigError: If the file is of another input size, other joints or another codec than the config.
    """
    path = cfg.load_from
    if not path or not is_exported(path):
        return
    flip_test = (cfg_options or {}).get(_FLIP)
    try:
        metadata = ExportedFile(path).metadata
        task = metadata['task']
        check_agreement(cfg, metadata, path)
        stacking = dict(type='PoseDataPreprocessor') if task == 'pose' else cfg.model.data_preprocessor
        model = dict(type=_MODEL, file=str(path), task=task, flip_test=flip_test, data_preprocessor=stacking)
        if halt is not None:
            model['halt'] = halt
        flips = ExportedModel(str(path), task, flip_test, halt=halt).exported.flip_test if task == 'pose' else False
    except ValueError as error:
        raise UserError(str(error)) from error
    inside = flips and metadata['flip_test'].get('inside')
    how = dict(
        runtime=metadata.get('runtime'),
        precision=metadata.get('precision'),
        flip_test=('inside the file' if inside else 'yes') if flips else 'no',
        **({} if halt is None else dict(halt=halt)),
    )
    cfg.model, cfg.load_from, cfg.exported = model, None, how
    print_log(f'exported file: {path} ({", ".join(f"{key} {value}" for key, value in how.items())})', 'current')
    if unread := [key for key in cfg_options or () if key.partition('.')[0] == 'model' and key != _FLIP]:
        print_log(
            f'{", ".join(unread)}: not read, {path} holds the model as it was exported; export it with these options, '
            f'or leave them out (of the model, {_FLIP} alone is read)',
            'current',
            logging.WARNING,
        )
    if metadata.get('config') != (tested := Path(cfg.filename).stem):
        print_log(
            f'{path} is of the model of {metadata.get("config")}, not of {tested}, which says the data, boxes and '
            'metric alone: these are the metrics of that model',
            'current',
            logging.WARNING,
        )


def say_halted(runner: Runner) -> None:
    """Log after which cycles people were done, where a file runs further ones."""
    done = getattr(getattr(bare_model(runner), 'exported', None), 'done_after', None)
    if done is not None:
        say_done(done.tolist(), runner.logger)


def check_agreement(cfg: Config, metadata: dict[str, Any], path: str) -> None:
    """Check that a file and a config are of one model.

    Raises:
        ConfigError: Naming both and the first thing in which they differ.
    """
    for name, ours, theirs in _compared(cfg, metadata):
        if json.dumps(ours, sort_keys=True, default=str) != json.dumps(theirs, sort_keys=True, default=str):
            raise ConfigError(
                f'{name} is {ours} in {cfg.filename}, but {theirs} in {path}: test the file with the config that it '
                f'was exported from ({metadata.get("config")})'
            )


def _type_first(keys: set[str]) -> list[str]:
    """Keys in order, behind the one that says to what the others belong."""
    return sorted(keys, key=lambda key: (key != 'type', key))


def _compared(cfg: Config, metadata: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Name, value of the config and value of the file of everything that must agree."""
    datasets = [each for each in split_datasets(cfg, 'test') if not inner_datasets(each)]
    head = cfg.model.get('head') or {}
    poses = bool(head.get('decoder'))
    values: list[tuple[str, Any, Any]] = [
        ('task', 'pose' if poses else 'classes', metadata['task']),
        ('input_size (w, h)', [*input_size(cfg)], [*metadata['input']['size']]),
    ]
    if not poses or metadata['task'] != 'pose':
        return values
    ours, theirs = under_mmposes_name(head['decoder']), under_mmposes_name(metadata['codec'])
    values += [(f'codec.{key}', ours.get(key), theirs.get(key)) for key in _type_first({*ours, *theirs})]
    for dataset in datasets:
        joints, names = joint_names(load_metainfo(dataset)), metadata['joints']['names']
        values.append(('the number of joints', len(joints), len(names)))
        values += [(f'joint {number} (counted from 0)', *pair) for number, pair in enumerate(zip(joints, names))]
        for step in dataset.get('pipeline') or ():
            if step.get('type') == 'GetBBoxCenterScale':
                values.append(('padding of the boxes', float(step.get('padding', 1.25)), float(metadata['padding'])))
            elif step.get('type') in ('TopdownAffine', 'WindowedAffine'):
                values.append((f'use_udp of {step["type"]}', step.get('use_udp', False), bool(metadata.get('use_udp'))))
    return values
