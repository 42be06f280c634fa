"""What the command-line tools run. Only they, the benchmarks and the package's own face import it."""

from typing import Any

import sdpose


def __getattr__(name: str) -> Any:
    """``train``, ``test`` and others, whose place is the package's face."""
    if name in ('train', 'test', 'optimize_for_inference', 'list_models', 'init_model', 'PoseInferencer'):
        return getattr(sdpose, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
