"""An evaluation that got no predictions."""

from collections.abc import Sized

from sdpose.errors import DataError


def require_results(results: Sized) -> None:
    """Refuse to compute a metric of nothing, which NumPy fails at or calls NaN.

    Args:
        results: What a metric keeps of each sample, of all processes.

    Raises:
        DataError: If there is none.
    """
    if not len(results):
        raise DataError('there is nothing to evaluate: no sample was predicted')
