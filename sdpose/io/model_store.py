"""Published checkpoints in a folder, found by the name of their config: ``<config>-<hash>.pth`` or ``.safetensors``."""

import os
import re
from pathlib import Path

from sdpose.errors import CheckpointError, UserError

from .digest import sha256_of

VARIABLE = 'SDPOSE_HOME'
_DEFAULT = '~/.cache/sdpose'
_PUBLISHED = re.compile(r'(?P<config>.+)-(?P<digest>[0-9a-f]{8})\.(pth|safetensors)')


def store() -> Path:
    """The folder that ``SDPOSE_HOME`` names, else ``~/.cache/sdpose``; it may not exist."""
    return Path(os.environ.get(VARIABLE) or _DEFAULT).expanduser()


def stored_weights(folder: Path | None = None) -> dict[str, list[Path]]:
    """The published checkpoints of a folder, by default the store's, by the names of their configs."""
    found: dict[str, list[Path]] = {}
    for file in sorted((folder or store()).glob('*-*')):
        if match := _PUBLISHED.fullmatch(file.name):
            found.setdefault(match['config'], []).append(file)
    return found


def find_weights(config: str, folder: str | Path | None = None) -> Path:
    """The published checkpoint of a config.

    Args:
        config: The config, a file or a name, of which the name counts.
        folder: Where to look; None for the store.

    Raises:
        UserError: If there is none, or several; nothing is downloaded.
        CheckpointError: If its content is not that of its name.
    """
    place = Path(folder).expanduser() if folder is not None else store()
    name = Path(config).name.removesuffix('.py')
    files = stored_weights(place).get(name, [])
    if not files:
        raise UserError(
            f'{place} holds no {name}-<hash>.pth, and nothing is downloaded: put a published checkpoint there '
            '(tools/model_converters/publish_model.py writes one into a folder), set '
            f'{VARIABLE} to the folder that has it, or name a checkpoint'
        )
    if len(files) > 1:
        raise UserError(f'{place} holds several of {name}: name one of {", ".join(file.name for file in files)}')
    digest = sha256_of(files[0])
    if not files[0].stem.endswith(digest[:8]):
        raise CheckpointError(f'{files[0]} is damaged: its content has the hash {digest[:8]}; fetch it again')
    return files[0]
