"""The command behind ``tools/dataset_tools/check_dataset.py``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sdpose.config.load import load_config
from sdpose.errors import UserError
from sdpose.io.folders import require_writable
from sdpose.io.progress import show_progress
from sdpose.preflight.in_depth import inspect_data

from .expected import expected_files
from .fix import write_repaired
from .page import write_data_page
from .text import describe


def check_data(
    config: str,
    splits: Sequence[str],
    html: Path | None = None,
    fix: Path | None = None,
    workers: int = 1,
    cfg_options: dict[str, Any] | None = None,
) -> tuple[list[str], int]:
    """Look at the data sets of a config.

    Args:
        config: Its file or name.
        splits: Of ``'train'``, ``'val'``, ``'test'``; those that it lacks are passed over.
        html: Folder for a page.
        fix: A file for a repaired copy of the annotations.
        workers: Processes that decode pictures.
        cfg_options: Overrides of the config.

    Returns:
        What there is to say, line by line, and the exit status: 1 with an error, 0 without.

    Raises:
        UserError: If an option or the config is wrong.
    """
    if workers < 1:
        raise UserError(f'--workers {workers}: give at least 1')
    if html is not None:
        require_writable(html, '--html')
    cfg = load_config(config, cfg_options)
    own = [split for split in splits if cfg.get(f'{split}_dataloader')]
    if not own:
        raise UserError(f'{config} has no {" and no ".join(f"{split}_dataloader" for split in splits)}')
    with show_progress('decoding pictures') as progress:
        inspection = inspect_data(cfg, own, workers, progress)
    files = expected_files(cfg)
    lines = [*files, *([''] if files else []), *describe(inspection)]
    if html is not None:
        lines.append(str(write_data_page(inspection, html, Path(cfg.filename).stem, config, files)))
    if fix is not None:
        lines += ['', *write_repaired(inspection, fix)]
    return lines, int(inspection.errors > 0)
