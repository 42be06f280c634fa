"""Numbers among options: without rounds, people or threads a benchmark measures nothing, and fails elsewhere."""

import argparse
import math

from sdpose.errors import UserError

# Of which none leaves a table, or MMPose's side of one, out, or has the main process load.
_MAY_BE_0 = ('start_images', 'together_images', 'workers', 'most_mmpose', 'scale_mmpose')


def require_counts(args: argparse.Namespace) -> None:
    """Check every number among the options of a benchmark.

    Raises:
        UserError: Naming the option.
    """
    for name, value in vars(args).items():
        least = 0 if name in _MAY_BE_0 else 1
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, (int, float)) and not isinstance(each, bool) and not least <= each < math.inf:
                raise UserError(f'--{name.replace("_", "-")} {each}: give at least {least}')
