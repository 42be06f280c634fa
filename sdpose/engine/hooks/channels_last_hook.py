"""Convolutions that read the channels of a pixel side by side."""

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.engine.bare_model import bare_model


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Store the weights of convolutions channels last while a model trains; what follows them takes their layout.

    Tensor cores, and oneDNN on a CPU, compute convolutions in this layout. Values and shapes, and so checkpoints, are
    the same but for rounding. A frozen teacher stays as it is.
    """

    # Before what copies the model or looks at it.
    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Change the layout, of weights that were loaded, too."""
        model: Any = bare_model(runner)
        model.to(memory_format=torch.channels_last)
