"""Values that are no numbers: a loss reports them, and an evaluation counts them as wrong."""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import distributions

_MARK = '_sdpose_compat'


def let_likelihood_be_nan() -> None:
    """Let the flow of residual log-likelihood hand a NaN on, as every other loss does.

    Seen: a NaN or infinite coordinate reaches the prior of MMPose 1.3.2's ``RealNVP``, whose validation raises a
    ``ValueError`` with 200 lines of traceback, before ``FiniteLossHook`` can name the loss. Without the validation
    the values of finite input are the same, and a GPU is not waited for.
    """
    flow = import_module('mmpose.models.utils.realnvp').RealNVP
    flow.prior = property(_prior, doc='The prior distribution.')


def _prior(self: Any) -> distributions.MultivariateNormal:
    # Factored once: a factorization reads from the device whether it has succeeded.
    known, version, factor = self.__dict__.get('_sdpose_factor', (None, None, None))
    if known is not self.cov or version != self.cov._version:
        factor = torch.linalg.cholesky(self.cov)
        self.__dict__['_sdpose_factor'] = (self.cov, self.cov._version, factor)
    return distributions.MultivariateNormal(self.loc, scale_tril=factor, validate_args=False)


def count_nan_as_wrong() -> None:
    """Let COCO's evaluation match no person with a coordinate that is no number.

    Seen: xtcocotools (and pycocotools) skip a pair whose similarity is below the threshold; NaN is below none, so
    that a model whose coordinates are all NaN got an AP of 1.
    """
    evaluation = import_module('xtcocotools.cocoeval').COCOeval
    if hasattr(evaluation, _MARK):
        return
    evaluation.computeOks = _nan_as_zero(evaluation.computeOks)
    setattr(evaluation, _MARK, True)


def _nan_as_zero(similarity: Callable) -> Callable:

    @wraps(similarity)
    def of_numbers(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = similarity(self, *args, **kwargs)
        # A person or a detection that is missing gives an empty list.
        return np.nan_to_num(found, nan=0.0) if len(found) else found

    return of_numbers
