"""Whether the checkpoints to start from are there."""

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config

from sdpose.errors import ConfigError, UserError
from sdpose.io.checkpoint import check_checkpoint_path


def check_checkpoint(cfg: Config, splits: Sequence[str]) -> None:
    """Check that ``load_from`` is a file, where a config has it, and those that parts of a model begin with.

    Raises:
        UserError: Naming the path and the checkpoints beside it.
    """
    if cfg.get('load_from'):
        check_checkpoint_path(cfg.load_from)
    if 'train' in splits and not cfg.get('resume'):
        _check_pretrained(cfg.get('model'), 'model')


def _check_pretrained(part: Any, where: str) -> None:
    """Check the files of every ``init_cfg`` below a part.

    Raises:
        ConfigError: Naming the key.
    """
    items: Any = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, (list, tuple)) else ()
    for key, value in items:
        if (
            isinstance(part, dict)
            and part.get('type') == 'Pretrained'
            and key == 'checkpoint'
            and isinstance(value, str)
        ):
            try:
                check_checkpoint_path(value)
            except UserError as error:
                raise ConfigError(f'{where}.checkpoint: {error}') from error
        _check_pretrained(value, f'{where}.{key}')
