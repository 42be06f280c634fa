"""Say with every evaluation whose boxes it used."""

from typing import Optional

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.evaluation.box_source import describe_boxes


@HOOKS.register_module()
class BoxSourceHook(Hook):
    """Log the origin of the person boxes beside each validation's and test's metrics.

    Ground-truth boxes raise COCO AP by about two points over a detector's, so a number without its boxes cannot be
    compared.
    """

    def after_val_epoch(self, runner: Runner, metrics: Optional[dict] = None) -> None:
        """Log the boxes of a validation."""
        runner.logger.info(describe_boxes(runner.val_dataloader.dataset))

    def after_test_epoch(self, runner: Runner, metrics: Optional[dict] = None) -> None:
        """Log the boxes of a test."""
        runner.logger.info(describe_boxes(runner.test_dataloader.dataset))
