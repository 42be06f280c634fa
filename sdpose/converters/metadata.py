"""What a written checkpoint says about itself, in plain text and numbers that load everywhere."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mmengine.config import Config

from sdpose.errors import UserError
from sdpose.version import __version__


def describe(config: Config, file: str | Path) -> dict[str, Any]:
    """The entries that a config gives to a checkpoint's ``meta``.

    Args:
        config: The config, with its overrides.
        file: Its file, of which the name is kept.

    Returns:
        ``cfg`` (the text, under MMEngine's name for it), ``config`` (the name), ``dataset``, ``num_keypoints`` if the
        config says so, ``sdpose_version`` and ``time`` (UTC).
    """
    meta = dict(
        cfg=config.pretty_text,
        config=Path(file).name,
        dataset=dataset_type(config),
        sdpose_version=__version__,
        time=datetime.now(timezone.utc).isoformat(timespec='seconds'),
    )
    if 'num_keypoints' in config:
        meta['num_keypoints'] = int(config.num_keypoints)
    return meta


def dataset_type(config: Config) -> str:
    """The class of the data that a config tests on, or trains on if it has no test."""
    loaders = (config.get(f'{split}_dataloader') for split in ('test', 'val', 'train'))
    dataset: dict[str, Any] = next((loader.dataset for loader in loaders if loader and loader.get('dataset')), {})
    return str(dataset.get('type', 'no data set in the config'))


def read_metrics(path: str, checkpoint: str) -> dict[str, Any]:
    """The figures of a ``metrics.json`` of ``tools/test.py`` and the boxes or images they were measured on.

    Args:
        path: The file.
        checkpoint: The checkpoint that it must have been measured on, compared by file name.

    Returns:
        The entry ``metrics``, and ``boxes`` or, of a classifier, ``images``.

    Raises:
        UserError: If it is no such file, or names another checkpoint.
    """
    try:
        if not Path(path).is_file() and Path(path).exists():
            raise UserError(f'--metrics {path} is no regular file')
        record = json.loads(Path(path).read_text(encoding='utf-8'))
        figures = {str(name): float(value) for name, value in record['metrics'].items()}
        measured = Path(record['checkpoint']).name
        data = 'images' if 'images' in record else 'boxes'
        source = {data: str(record[data])}
    except OSError as error:
        raise UserError(f'--metrics {path}: {error.strerror}') from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f'--metrics {path} is not the metrics.json that tools/test.py writes beside its log '
            f'({type(error).__name__}: {error})'
        ) from error
    if measured != Path(checkpoint).name:
        raise UserError(f'--metrics {path} was measured on {measured}, not on {Path(checkpoint).name}')
    return dict(metrics=figures, **source)
