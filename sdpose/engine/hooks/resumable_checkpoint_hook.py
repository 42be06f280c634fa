"""Checkpoints from which a training goes on as if it had never been interrupted."""

import os
import re
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import EpochBasedTrainLoop, Runner

from sdpose.engine.loops import ResumableTrainLoop
from sdpose.engine.validation_record import ValidationRecord
from sdpose.evaluation.suspicious_metrics import is_unmeasured
from sdpose.io.checkpoint import meta_of

# A checkpoint that was written because a signal asked for the end; the next regular one replaces it.
STOPPED = 'stopped_iter_{}.pth'
_RUN = 'run_id'
_POSITION = 'position'


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, with what a kill between two of its files would lose.

    - The best score and its file survive: they are read from a record of all validations
      (:class:`sdpose.engine.validation_record.ValidationRecord`), not from a checkpoint that is older than they are. A
      resumed training ends with one best checkpoint, the right one.
    - A validation that was skipped, because the run ended between a checkpoint and its validation, is made up.
    - A score that stands for no measurement (``coco/AP`` of -1, NaN) makes no checkpoint the best one.
    - Each checkpoint says where in its epoch it was written, so that a training goes on from there within an epoch
      (:class:`sdpose.engine.loops.ResumableTrainLoop`).

    Args:
        **kwargs: As for ``CheckpointHook``.
    """

    # Set by CheckpointHook.
    filename_tmpl: str
    max_keep_ckpts: int

    def before_train(self, runner: Runner) -> None:
        """Take over the best score, and make up a validation that the resumed training lacks."""
        hub = runner.message_hub
        if _RUN not in hub.runtime_info:
            hub.update_info(_RUN, ValidationRecord.new_run())
        super().before_train(runner)
        self._saved: int | None = None  # how many steps the newest checkpoint of this process has seen
        self._outdated: set[Path] = set()  # best checkpoints of what is done again
        self._record = ValidationRecord(runner.work_dir, hub.get_info(_RUN))
        step = self._step(runner)
        if not (runner._resume and step):
            return
        self._record.read(step)
        if self.save_best:
            self._restore_best(runner)
        if self._lacks_validation(runner, step):
            runner.logger.info(
                f'the validation at {"epoch" if self.by_epoch else "step"} {step} was not finished '
                'before the interruption and is made up now'
            )
            runner.val_loop.run()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Tell the training loop where in its epoch a resumed checkpoint was written."""
        if runner._resume and isinstance(runner.train_loop, ResumableTrainLoop):
            runner.train_loop.resume_at(meta_of(checkpoint).get(_POSITION))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Write the place in the epoch into a checkpoint."""
        if isinstance(runner.train_loop, ResumableTrainLoop):
            meta = checkpoint['meta']
            meta[_POSITION] = runner.train_loop.position(meta['epoch'], meta['iter'])

    def after_val_epoch(self, runner: Runner, metrics: dict[str, Any]) -> None:
        """Save a new best checkpoint, remove what it replaces, and record the scores last."""
        super().after_val_epoch(runner, metrics)
        if not is_main_process():
            return
        best = {Path(path) for path in map(self._best_path, self.key_indicators) if path} if self.save_best else set()
        if best:
            for path in self._outdated - best:
                path.unlink(missing_ok=True)
            self._outdated = set()
        self._record.add(self._step(runner), metrics)

    def save_stopped(self, runner: Runner, done: int) -> str:
        """Save a training that a signal ends.

        Args:
            runner: The runner.
            done: Number of finished steps.

        Returns:
            The checkpoint: a new one, or the newest if that has seen the same steps.
        """
        if self._saved != done:
            regular, self.filename_tmpl = self.filename_tmpl, STOPPED
            kept, self.max_keep_ckpts = self.max_keep_ckpts, 0  # it is none of those that are counted
            try:
                self._save_checkpoint_with_step(runner, done, meta=dict(epoch=runner.epoch, iter=done))
            finally:
                self.filename_tmpl, self.max_keep_ckpts = regular, kept
        return str(self.last_ckpt)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        super()._save_checkpoint_with_step(runner, step, meta)
        self._saved = meta['iter']
        if is_main_process() and isinstance(self.file_backend, LocalBackend):
            for path in Path(self.out_dir).glob(STOPPED.format('*')):
                if path != Path(self.last_ckpt):
                    path.unlink(missing_ok=True)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        super()._save_best_checkpoint(
            runner, {name: None if is_unmeasured(name, value) else value for name, value in metrics.items()}
        )
        unmeasured = [key for key in self.key_indicators if is_unmeasured(key, metrics[key])] if self.save_best else []
        for key in unmeasured:
            runner.logger.warning(
                f'no checkpoint is kept as the best one after this validation: {key} is {metrics[key]}, which is no '
                'measurement'
            )

    def _step(self, runner: Runner) -> int:
        """The number that checkpoints and validations are called by."""
        return runner.epoch if self.by_epoch else runner.iter

    def _lacks_validation(self, runner: Runner, step: int) -> bool:
        """Whether the resumed checkpoint's own validation is due and was not finished; asked of the first process."""
        loop = runner.train_loop
        if runner.val_loop is None or (isinstance(loop, EpochBasedTrainLoop) != self.by_epoch):
            return False
        if isinstance(loop, ResumableTrainLoop) and loop.within_epoch:
            return False
        loop._decide_current_val_interval()
        last = loop.max_epochs if self.by_epoch else loop.max_iters
        due = step >= loop.val_begin and (step % loop.val_interval == 0 or step == last)
        answer = [due and step not in self._record]
        broadcast_object_list(answer)
        return answer[0]

    def _restore_best(self, runner: Runner) -> None:
        """Let each metric's best checkpoint be one that lies in the folder, whatever the resumed checkpoint says."""
        if 'auto' in self.key_indicators and (metrics := self._record.metric_names()):
            self._init_rule(self.rules, metrics[:1])  # the first metric that there was
        single = len(self.key_indicators) == 1
        for key, rule in zip(self.key_indicators, self.rules):
            names = ('best_score', 'best_ckpt') if single else (f'best_score_{key}', f'best_ckpt_{key}')
            known = [runner.message_hub.pop_info(name, None) for name in names]
            score, best = self._best_there(key, rule, *known)
            if best is not None:
                runner.message_hub.update_info(names[0], score)
                runner.message_hub.update_info(names[1], best)
            if single:
                self.best_ckpt_path = best
            else:
                self.best_ckpt_path_dict[key] = best
            self._outdated |= {
                path
                for path in Path(self.out_dir).glob('best_*')
                if self._is_best_of(key, path.name) and (best is None or path != Path(best))
            }

    def _best_there(self, key: str, rule: str | None, score: Any, path: Any) -> tuple[Any, str | None]:
        """The score and path of the best of the recorded checkpoints, else of the one that was known, that is there."""
        steps = self._record.ranked(key, rule)
        found = [(self._record.score(step, key), self._best_name(key, step)) for step in steps]
        if not found and path and self._is_best_of(key, os.path.basename(path)):
            found = [(score, os.path.basename(path))]
        for score, name in found:
            if os.path.isfile(path := self.file_backend.join_path(self.out_dir, name)):
                return score, path
        return None, None

    def _is_best_of(self, key: str, name: str) -> bool:
        return bool(re.fullmatch(re.escape(self._best_name(key, 'STEP')).replace('STEP', r'\d+'), name))

    def _best_name(self, key: str, step: int | str) -> str:
        return f'best_{key}_{self.filename_tmpl.format(step)}'.replace('/', '_')

    def _best_path(self, key: str) -> str | None:
        return self.best_ckpt_path if len(self.key_indicators) == 1 else self.best_ckpt_path_dict.get(key)
