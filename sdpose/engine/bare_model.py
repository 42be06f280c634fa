"""The model below what MMEngine wraps around it."""

from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner


def bare_model(runner: Runner) -> Any:
    """A runner's model without the wrapper of a distributed run, whose attributes are not the model's."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
