"""Building what a config names, with a refused value reported as a mistake in the config."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import nn

from sdpose.errors import ConfigError

# A TypeError that a config causes: a part that is not written to the end, an argument nobody takes, or that is missing,
# or text where an optimizer, or the seed, wants a number.
_REFUSED_ARGUMENT = (
    "Can't instantiate abstract class|"
    'unexpected keyword argument|missing .* required .* argument|'
    "not supported between instances of '|"
    'None is not a callable object|Cannot cast scalar from'
)
_HINT = '\n(raised while building the parts of the config; SDPOSE_TRACEBACK=1 shows where)'


@contextmanager
def building() -> Iterator[None]:
    """Report a value that a constructor refused as a mistake in the config.

    Constructors check what they are given and raise ``ValueError``; MMEngine raises ``KeyError`` for a part that is not
    registered, ``ImportError`` for a module named in ``custom_imports``, and a ``TypeError`` of this kind where a
    class outside this project and MMPose refuses an argument. The message says how to see where it arose.

    Raises:
        ConfigError: With the constructor's message.
    """
    try:
        yield
    except (ValueError, ImportError) as error:
        raise ConfigError(f'{error}{_HINT}') from error
    except TypeError as error:
        if not re.search(_REFUSED_ARGUMENT, str(error)):
            raise
        raise ConfigError(f'{error}{_HINT}') from error
    except KeyError as error:
        if 'registry' not in str(error):
            raise
        raise ConfigError(str(error.args[0]).partition(' Please check')[0]) from error


def build_model(model: dict[str, Any]) -> nn.Module:
    """A model of its config, with its initial weights.

    Raises:
        ConfigError: If a part refuses its values.
    """
    init_default_scope('mmpose')
    with building():
        return MODELS.build(model)
