"""Hooks that do not fit the training or each other are refused when the config is read."""

import copy

import pytest
from mmengine.config import Config

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.errors import ConfigError
from sdpose.preflight.hooks import check_hooks

TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'  # 30 epochs, two cycles
SCHEDULE = dict(type='TeachingScheduleHook', epochs=20)
RANDOM, CURRICULUM = dict(type='RandomCyclesHook'), dict(type='CycleCurriculumHook', epochs=[10])
COPY = dict(type='OwnTeacherHook', refresh_epochs=5)


@pytest.fixture
def cfg() -> Config:
    return copy.deepcopy(load_config(TINY))


@pytest.mark.parametrize(
    'hooks', [[], [SCHEDULE, RANDOM, COPY], [CURRICULUM], [dict(SCHEDULE, begin=10, priority='LOW')]]
)
def test_what_fits_passes(cfg: Config, hooks: list) -> None:
    cfg.custom_hooks = hooks
    check_hooks(cfg, ('train',))


@pytest.mark.parametrize(
    'hooks, said',
    [
        (
            [dict(SCHEDULE, begin=11)],
            r'^custom_hooks.0 \(TeachingScheduleHook\) needs 31 epochs, .* has 30 \(train_cfg',
        ),
        ([RANDOM, dict(CURRICULUM, epochs=[30])], 'custom_hooks.0 .RandomCyclesHook. and custom_hooks.1 .*both set'),
        ([dict(CURRICULUM, epochs=[30])], 'needs 31 epochs'),
        ([dict(COPY, refresh_epochs=30)], r'\(OwnTeacherHook\) needs 31 epochs'),
        ([dict(CURRICULUM, epochs=[3, 5])], 'adds 2 cycles .*num_cycles is 2: give 1 epochs'),
        ([SCHEDULE, COPY, SCHEDULE], 'custom_hooks.0 .* and custom_hooks.2 .* both set how much a distiller teaches'),
        ([dict(RANDOM, low=2)], 'from low=2 to model.neck.num_cycles=2 cycles'),
        ([dict(RANDOM, low=0)], 'custom_hooks.0: low must be at least 1 cycle, got 0'),
    ],
)
def test_what_does_not_is_named(cfg: Config, hooks: list, said: str) -> None:
    cfg.custom_hooks = hooks
    with pytest.raises(ConfigError, match=said):
        check_hooks(cfg, ('train', 'val'))
    check_hooks(cfg, ('test',))  # hooks that nothing calls
