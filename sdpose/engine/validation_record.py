"""The scores of a training's validations, in a small file of their own."""

import json
import logging
import math
import time
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from sdpose.io.atomic import atomic_write

NAME = 'validations.json'


class ValidationRecord:
    """What each validation of one training found, kept beside its checkpoints.

    A checkpoint is written before its validation, so what it knows of the best score is one validation old, and a
    training that is resumed from it would forget that score. This file is written, by rename, after each validation.

    Args:
        folder: The work folder.
        run: The identity of the training, which its checkpoints carry; a file of another training counts for nothing.
    """

    def __init__(self, folder: str | Path, run: str) -> None:
        self.path = Path(folder) / NAME
        self.run = run
        self._found: dict[int, dict[str, float]] = {}

    @staticmethod
    def new_run() -> str:
        """An identity for a training that begins."""
        return f'{time.time_ns():x}'

    def read(self, last: int) -> None:
        """Take over what the file has of this training up to a step; what lies behind it will be done again.

        Args:
            last: The epoch, or step, that the training goes on from.
        """
        try:
            content = json.loads(self.path.read_text(encoding='utf-8'))
            found = {
                int(step): {str(key): float(value) for key, value in metrics.items()}
                for step, metrics in content['validations'].items()
            }
            run = content['run']
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            print_log(
                f'{self.path} is damaged ({error!r}) and not used: the last validation is done again',
                'current',
                logging.WARNING,
            )
            return
        if run == self.run:
            self._found = {step: metrics for step, metrics in found.items() if step <= last}

    def add(self, step: int, metrics: dict[str, Any]) -> None:
        """Keep the numbers among a validation's metrics, and write the file."""
        self._found[step] = {key: float(value) for key, value in metrics.items() if _is_number(value)}
        content = dict(run=self.run, validations={str(key): self._found[key] for key in sorted(self._found)})
        with atomic_write(self.path, 'w') as file:
            json.dump(content, file, indent=1)

    def __contains__(self, step: int) -> bool:
        """Whether the validation at a step was finished."""
        return step in self._found

    def ranked(self, key: str, rule: str | None) -> list[int]:
        """The steps that have a score, the best first, of equal ones the earlier.

        Args:
            key: Name of the metric.
            rule: ``'greater'`` or ``'less'``, what is better; None as long as there is no metric.
        """
        scores = {step: found[key] for step, found in self._found.items() if not math.isnan(found.get(key, math.nan))}
        return sorted(sorted(scores), key=scores.__getitem__, reverse=rule == 'greater')

    def score(self, step: int, key: str) -> float:
        """The score of a step."""
        return self._found[step][key]

    def metric_names(self) -> list[str]:
        """The names of the metrics, in the order in which the evaluator gave them."""
        return list(next(iter(self._found.values()), {}))


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
