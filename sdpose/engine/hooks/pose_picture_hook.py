"""Pictures of validation predictions in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmcv
from mmengine.registry import HOOKS
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.engine.hooks import PoseVisualizationHook
from mmpose.structures import merge_data_samples


@HOOKS.register_module()
class PosePictureHook(PoseVisualizationHook):
    """MMPose's ``PoseVisualizationHook``, which in a training writes to ``out_dir``, too.

    MMPose writes there in a test only. Of each validation, the first sample of one of ``interval`` batches becomes
    ``IMAGE_PERSON_epoch_N.jpg`` below the folder of the log, with the numbers of image and annotation that it has.

    Args:
        **kwargs: As for ``PoseVisualizationHook``.
    """

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence | None = None
    ) -> None:
        """Draw the first sample of a batch, if it is the batch's turn."""
        if self.out_dir is None:
            super().after_val_iter(runner, batch_idx, data_batch, outputs)
            return
        if not self.enable or batch_idx % self.interval or not outputs:
            return
        sample: Any = outputs[0]
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        when = f'epoch_{runner.epoch}' if by_epoch else f'iter_{runner.iter}'
        path = Path(sample.get('img_path'))
        name = f'{path.stem}_{sample.get("id", batch_idx)}_{when}.jpg'
        self._visualizer.set_dataset_meta(runner.val_evaluator.dataset_meta)
        self._visualizer.add_datasample(
            path.name,
            mmcv.imread(str(path), channel_order='rgb'),
            data_sample=merge_data_samples([sample]),
            draw_gt=False,
            draw_bbox=True,
            draw_heatmap=True,
            show=self.show,
            wait_time=self.wait_time,
            kpt_thr=self.kpt_thr,
            out_file=str(Path(runner.log_dir, self.out_dir, name)),
            step=runner.iter,
        )
