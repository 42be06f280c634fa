"""The last epochs of a training have the steps of the hook, whichever process loads, and resumed or not."""

from types import SimpleNamespace
from typing import Any

import pytest
from mmcv.transforms import BaseTransform
from mmengine.dataset import BaseDataset, Compose, ConcatDataset
from mmengine.registry import init_default_scope
from mmpose.registry import TRANSFORMS
from torch.utils.data import DataLoader

import sdpose  # noqa: F401
from sdpose.datasets.transforms import ClippedNormalBBoxTransform, LoadCachedCrop
from sdpose.engine.hooks import LastEpochsHook
from sdpose.errors import ConfigError

WEAK = dict(type='CoarseDropout', prob=0.25)


class _Chance(BaseTransform):
    """Hands on the probability of the step behind it."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def transform(self, results: dict) -> float:
        return next(step.prob for step in self.data.pipeline.transforms if hasattr(step, 'prob'))


class _Data(BaseDataset):
    def __init__(self, *steps: dict) -> None:
        init_default_scope('mmpose')
        super().__init__(pipeline=[_Chance(self), *map(TRANSFORMS.build, steps)], serialize_data=False)
        self.pipeline = Compose(self.pipeline.transforms)

    def load_data_list(self) -> list:
        return [{} for _ in range(4)]

    def prepare_data(self, idx: int) -> float:
        return self.pipeline.transforms[0].transform({})


def _runner(dataset: Any, epochs: int = 5, **loader: Any) -> SimpleNamespace:
    loading = DataLoader(dataset, batch_size=2, collate_fn=list, **loader)
    return SimpleNamespace(train_dataloader=loading, max_epochs=epochs, epoch=0)


def _probabilities(runner: SimpleNamespace, hook: LastEpochsHook, epochs: range) -> list[set[float]]:
    hook.before_train(runner)
    seen = []
    for runner.epoch in epochs:
        hook.before_train_epoch(runner)
        seen.append({value for batch in runner.train_dataloader for value in batch})
    return seen


@pytest.mark.parametrize('loader', [{}, dict(num_workers=1, persistent_workers=True)], ids=['here', 'persistent'])
def test_the_last_two_of_five_epochs(loader: dict) -> None:
    runner = _runner(_Data(dict(type='CoarseDropout', prob=1.0)), **loader)
    assert _probabilities(runner, LastEpochsHook(2, [WEAK]), range(5)) == [{1.0}] * 3 + [{0.25}] * 2


def test_a_resumed_training_and_one_of_several_data_sets() -> None:
    parts = [_Data(dict(type='CoarseDropout')), _Data(dict(type='CoarseDropout', prob=0.5))]
    assert _probabilities(_runner(ConcatDataset(parts)), LastEpochsHook(2, [WEAK]), range(4, 5)) == [{0.25}]


def test_other_steps_stay() -> None:
    data = _Data(dict(type='RandomBlur'), dict(type='CoarseDropout'))
    before = list(data.pipeline.transforms)
    runner, hook = _runner(data), LastEpochsHook(4, [WEAK])
    hook.before_train(runner)
    runner.epoch = 1
    hook.before_train_epoch(runner)
    after = data.pipeline.transforms
    assert after[:2] == before[:2] and after[2] is not before[2] and len(after) == 3


@pytest.mark.parametrize(
    'steps, message',
    [
        ([], r'CoarseDropout takes .* but the training pipeline has 0 of them \(_Chance, RandomBlur\)'),
        ([dict(type='CoarseDropout')] * 2, 'has 2 of them'),
    ],
)
def test_a_step_without_one_place_is_refused(steps: list, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LastEpochsHook(2, [WEAK]).before_train(_runner(_Data(dict(type='RandomBlur'), *steps)))


def test_what_reaches_beyond_cached_crops_is_refused() -> None:
    box = dict(type='ClippedNormalBBoxTransform', shift_prob=0.0, scale_factor=0.3, rotate_factor=30.0)
    data = _Data(box)
    data.pipeline.transforms.insert(0, LoadCachedCrop(cache='crops'))
    for change, is_wider in ((dict(scale_factor=0.2), False), (dict(rotate_factor=40.0), True)):
        hook = LastEpochsHook(2, [dict(box, **change)])
        if is_wider:
            with pytest.raises(ConfigError, match='ClippedNormalBBoxTransform.* reads farther around a person than'):
                hook.before_train(_runner(data))
        else:
            hook.before_train(_runner(data))
    del data.pipeline.transforms[0]
    hook.before_train(_runner(data))
    assert isinstance(data.pipeline.transforms[1], ClippedNormalBBoxTransform)


def test_odd_values_are_refused() -> None:
    for odd in (0, 2.5):
        with pytest.raises(ValueError, match=f'epochs must be a whole number of at least 1, got {odd}'):
            LastEpochsHook(odd, [WEAK])
    with pytest.raises(ValueError, match='steps must name at least one step'):
        LastEpochsHook(2, [])
    assert LastEpochsHook(3, [WEAK]).needed_epochs == 4
