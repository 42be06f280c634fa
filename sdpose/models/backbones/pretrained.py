"""Filling a backbone from a file, loudly: what does not fit is an error unless it was expected."""

import logging
from collections.abc import Sequence

from mmengine.logging import print_log
from mmengine.model import update_init_info
from mmpose.registry import WEIGHT_INITIALIZERS
from torch import nn

from sdpose.errors import ConfigError, MismatchError
from sdpose.io.checkpoint import compare, read_weights


@WEIGHT_INITIALIZERS.register_module()
class PretrainedBackbone:
    """Initializer that loads a backbone's weights and says what was not filled.

    MMEngine's ``Pretrained`` skips tensors of another shape with a line in the log: that is how the released
    HRNet-W32 models came to start with a random first stage. Such tensors keep what their layer was built with, as
    there: for a convolution torch's uniform of std 1 / sqrt(3 fan_in). Keys that the file has beyond the backbone
    (classifier, a fourth stage) are fine.

    Args:
        checkpoint: Path or web address.
        prefix: Only the keys below this prefix belong to the backbone.
        allow_mismatch: Beginnings of the backbone's keys that the file need not fill.
    """

    def __init__(self, checkpoint: str | None, prefix: str | None = None, allow_mismatch: Sequence[str] = ()) -> None:
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.allow_mismatch = tuple(allow_mismatch)

    def __call__(self, module: nn.Module) -> None:
        """Fill ``module``.

        Raises:
            ConfigError: If no file is named.
            MismatchError: If the file cannot be had, or a tensor is missing or misshaped that was not allowed to be.
        """
        weights = self._weights()
        difference = compare(module, weights)
        difference.unexpected = {}
        unfilled = sorted({**difference.missing, **difference.misshaped})
        if any(not key.startswith(self.allow_mismatch or '\0') for key in unfilled):
            raise MismatchError(
                f'{self.checkpoint} does not fill {type(module).__name__}: {difference.summary()}\n'
                f'{difference.table()}\n'
                'Set model.backbone.init_cfg=None to start at random, or name the beginnings of these keys in '
                'model.backbone.init_cfg.allow_mismatch'
            )
        expected = module.state_dict()
        module.load_state_dict(
            {key: weights[key] for key in expected if key in weights and key not in unfilled}, strict=False
        )
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'PretrainedBackbone: {self.checkpoint}')
        remark = f', {len(unfilled)} start at random as allowed by {self.allow_mismatch}' if unfilled else ''
        print_log(
            f'backbone from {self.checkpoint}: {difference.matched} of {len(expected)} tensors filled{remark}',
            logger='current',
            level=logging.WARNING if unfilled else logging.INFO,
        )

    def _weights(self) -> dict:
        if not self.checkpoint:
            raise ConfigError(
                'the backbone starts from a file that the config does not name: set '
                'model.backbone.init_cfg.checkpoint, or model.backbone.init_cfg=None to start at random'
            )
        weights = read_weights(
            self.checkpoint,
            'the pretrained backbone',
            'Put the file on this machine and set '
            'model.backbone.init_cfg.checkpoint to it, or model.backbone.init_cfg=None to start at random',
        )
        if self.prefix is not None:
            start = f'{self.prefix.rstrip(".")}.'
            weights = {key[len(start) :]: value for key, value in weights.items() if key.startswith(start)}
        return weights
