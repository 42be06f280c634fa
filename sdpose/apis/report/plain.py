"""Numbers as JSON and a page have them."""

from typing import Any

import numpy as np


def plain_number(value: Any) -> float | None:
    """A number that JSON knows: None for NaN."""
    return None if np.isnan(value) else float(value)
