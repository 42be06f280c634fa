"""Say with every evaluation whose boxes, or which images, it used."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.evaluation.box_source import describe_data


@HOOKS.register_module()
class BoxSourceHook(Hook):
    """Log the origin of the person boxes, or of the images, beside each validation's and test's metrics.

    Ground-truth boxes raise COCO AP by about two points over a detector's, so a number without its boxes cannot be
    compared.
    """

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Log the boxes of a validation."""
        self._log(runner, runner.val_dataloader.dataset)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Log the boxes of a test."""
        self._log(runner, runner.test_dataloader.dataset)

    @staticmethod
    def _log(runner: Runner, dataset: Any) -> None:
        for line in describe_data(dataset).values():
            runner.logger.info(line)
