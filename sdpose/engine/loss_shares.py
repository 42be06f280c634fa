"""How much each term contributes to a training loss."""

from collections.abc import Iterable, Mapping


def loss_terms(names: Iterable[str]) -> list[str]:
    """The names, among a training step's logged values, of the terms that MMEngine adds up to ``loss``.

    These are all that contain ``loss`` (``BaseModel.parse_losses``); accuracies do not.
    """
    return [name for name in names if 'loss' in name and name != 'loss']


def loss_shares(means: Mapping[str, float]) -> dict[str, float]:
    """The share of each term, between 0 and 1.

    Args:
        means: Mean value of each weighted term over some steps.

    Returns:
        For each term its magnitude over the sum of all magnitudes: the share of the total where no term is negative. A
        likelihood (RLE) may be, and shares of a total near zero would say nothing. Empty if there is nothing to share:
        fewer than two terms, or all of them zero.
    """
    total = sum(abs(value) for value in means.values())
    if len(means) < 2 or total == 0:
        return {}
    return {name: abs(value) / total for name, value in means.items()}
