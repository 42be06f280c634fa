"""Reads files in a process of its own, which may crash, and says what came of each; ``read_all.py FILE ...``.

Prints, as JSON, for each file ``loaded``, or the message, or the class of an exception that is no user's mistake; and
by how many MiB the process grew while it read.
"""

import json
import resource
import sys
import time

from mmengine.runner.checkpoint import CheckpointLoader

import sdpose  # noqa: F401  makes MMEngine's loader the checked one
from sdpose.errors import UserError


def outcome(file: str) -> str:
    try:
        CheckpointLoader.load_checkpoint(file, map_location='cpu', logger='silent')
    except UserError as error:
        return str(error)
    except BaseException as error:
        return f'DEFECT {type(error).__name__}: {error}'
    return 'loaded'


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == '__main__':
    before, found = peak(), {}
    for name in sys.argv[1:]:
        started, memory = time.perf_counter(), peak()
        found[name] = (outcome(name), peak() - memory, time.perf_counter() - started)
    json.dump(dict(files=found, grown=peak() - before), sys.stdout)
