"""A training loop that goes on within an epoch."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.logging import print_log
from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """MMEngine's ``EpochBasedTrainLoop``, which takes up a checkpoint that was written within an epoch at its place.

    The batches that were trained on are not loaded again; the order of the rest is that of the uninterrupted epoch,
    given a sampler whose order depends on seed and epoch alone, as MMEngine's does. Where the epoch is divided
    otherwise than the checkpoint's was (batch size, processes, data), or the checkpoint does not say where it was
    written, the epoch begins again and this is said.

    Args:
        *args: As for ``EpochBasedTrainLoop``.
        **kwargs: As for ``EpochBasedTrainLoop``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._resumed: Mapping | None = None
        self._begin = 0  # the step with which the epoch began

    def position(self, epoch: int, step: int) -> dict[str, int]:
        """What a checkpoint says of its place.

        Args:
            epoch: Number of finished epochs.
            step: Number of finished steps.

        Returns:
            ``batch``: finished ones of the current epoch; what divides the epoch: ``batches``, ``processes``,
            ``batch_size``.
        """
        return dict(batch=step - self._begin if epoch == self._epoch else 0, **self._division())

    def resume_at(self, position: Mapping | None) -> None:
        """Take the place of the checkpoint that is being resumed.

        Args:
            position: As :meth:`position` gave it; None if the checkpoint does not say.
        """
        is_one = isinstance(position, Mapping) and all(type(value) is int for value in position.values())
        self._resumed = position if is_one else {}

    @property
    def within_epoch(self) -> bool:
        """Whether some, but not all, of the current epoch's batches are done."""
        return self._iter != self._begin

    def run(self) -> Any:
        """Train, from the place of a resumed checkpoint on."""
        done = self._done_batches(self._resumed) if self._resumed is not None else 0
        self._begin = self._iter - done
        if self._epoch >= self._max_epochs:
            print_log(
                f'nothing is left to train: the checkpoint has {self._epoch} epochs, train_cfg.max_epochs is '
                f'{self._max_epochs}',
                'current',
                logging.WARNING,
            )
        return super().run()

    def run_epoch(self) -> None:
        """Train one epoch, or the rest of it."""
        done = self._iter - self._begin
        if done:
            self.runner.call_hook('before_train_epoch')
            self.runner.model.train()
            for idx, data_batch in enumerate(self._batches_after(done), start=done):
                self.run_iter(idx, data_batch)
            self.runner.call_hook('after_train_epoch')
            self._epoch += 1
        else:
            super().run_epoch()
        self._begin = self._iter

    def _division(self) -> dict[str, int]:
        return dict(
            batches=len(self.dataloader), processes=self.runner.world_size, batch_size=self.dataloader.batch_size or 0
        )

    def _done_batches(self, position: Mapping) -> int:
        """How many batches of the epoch are done; where that cannot be, the epoch is set back to its beginning."""
        done = position.get('batch', self._iter - self._epoch * len(self.dataloader))
        if done == 0:
            return 0
        differing = {
            key: (position.get(key), value) for key, value in self._division().items() if position.get(key) != value
        }
        if not differing and self.dataloader.batch_sampler is not None:
            return done
        reason = ', '.join(
            f'{key} {then if then is not None else "not said"}, now {now}' for key, (then, now) in differing.items()
        )
        print_log(
            f'the checkpoint was written within epoch {self._epoch + 1}, which is divided otherwise ({reason}): '
            'that epoch begins again',
            'current',
            logging.WARNING,
        )
        self._iter -= done
        return 0

    def _batches_after(self, done: int) -> Iterable:
        """The batches of this epoch but for the first ones, which are not loaded."""
        loader = self.dataloader
        return DataLoader(
            loader.dataset,
            batch_sampler=list(loader.batch_sampler)[done:],
            num_workers=loader.num_workers,
            collate_fn=loader.collate_fn,
            pin_memory=loader.pin_memory,
            timeout=loader.timeout,
            worker_init_fn=loader.worker_init_fn,
            multiprocessing_context=loader.multiprocessing_context,
            generator=loader.generator,
            prefetch_factor=loader.prefetch_factor,
        )
