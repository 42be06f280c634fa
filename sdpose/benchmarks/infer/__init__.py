"""``benchmark.py infer``: the deployed model in torch and in every runtime, beside the model by hand and others."""

from .command import add_arguments, run

__all__ = ['add_arguments', 'run']
