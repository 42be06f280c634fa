"""Whether there is anything to teach."""

from typing import Any

from sdpose.errors import ConfigError
from sdpose.models.distillers import BaseDistiller


def require_terms(distiller: BaseDistiller, hook: Any) -> None:
    """Refuse a distiller whose terms are all left out, for a hook that steers what they teach.

    Args:
        distiller: The model's.
        hook: The hook, whose class is named.

    Raises:
        ConfigError: If so.
    """
    if not len(distiller.terms):  # a copy would be run for nothing, and pose losses be traded for nothing
        raise ConfigError(
            f'{type(hook).__name__} steers what model.distiller teaches, but all of its terms are None: give it one, '
            'or leave the hook out'
        )
