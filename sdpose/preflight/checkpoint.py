"""Whether the checkpoint to start from is there."""

from collections.abc import Sequence

from mmengine.config import Config

from sdpose.io.checkpoint import check_checkpoint_path


def check_checkpoint(cfg: Config, splits: Sequence[str]) -> None:
    """Check that ``load_from`` is a file, where a config has it.

    Raises:
        UserError: Naming the path and the checkpoints beside it.
    """
    if cfg.get('load_from'):
        check_checkpoint_path(cfg.load_from)
