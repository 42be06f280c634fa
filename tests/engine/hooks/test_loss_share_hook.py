"""The line about the first steps, by hand."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import LoggerHook
from mmengine.logging import MessageHub

import sdpose  # noqa: F401
from sdpose.engine.hooks import LossShareHook

STEPS = [
    dict(loss=1.0, loss_kpt=0.6, acc_pose=1.0, loss_token=0.4),
    dict(loss=9.0, loss_kpt=8.99, acc_pose=0.0, loss_token=0.01),
]


def _runner(name: str, info: Callable, first: int, interval: int) -> SimpleNamespace:
    return SimpleNamespace(
        message_hub=MessageHub(name),
        logger=SimpleNamespace(info=info),
        iter=first,
        epoch=0,
        hooks=[LoggerHook(interval=interval)],
        train_dataloader=range(1000),
    )


def _run(hook: LossShareHook, steps: list[dict], first: int = 0, end: bool = False, interval: int = 1) -> list[str]:
    lines: list[str] = []
    runner = _runner(f'loss_share_{id(lines)}', lines.append, first, interval)
    hook.before_train(runner)
    for number, values in enumerate(steps):
        outputs = {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
        hook.after_train_iter(runner, number, outputs=outputs)
        runner.iter += 1
    if end:
        hook.after_train(runner)
    return lines


def test_line_by_hand() -> None:
    # sums 9.59 and 0.41 of 10
    expected = ['share of the loss, steps 1 to 2: loss_kpt 95.9 %, loss_token 4.1 %']
    assert _run(LossShareHook(2), STEPS) == expected
    assert _run(LossShareHook(2), [*STEPS, *STEPS], end=True) == expected


def test_the_line_comes_when_the_logger_reads_and_of_the_first_steps_alone() -> None:
    expected = ['share of the loss, steps 1 to 2: loss_kpt 95.9 %, loss_token 4.1 %']
    assert _run(LossShareHook(2), [*STEPS, STEPS[0], STEPS[0]], interval=4) == expected
    assert _run(LossShareHook(2), [*STEPS, STEPS[0]], interval=4) == []
    assert _run(LossShareHook(2), [*STEPS, STEPS[0]], interval=4, end=True) == expected


def test_a_shorter_training_and_a_resumed_one() -> None:
    assert _run(LossShareHook(), STEPS) == []
    assert _run(LossShareHook(), STEPS, first=120, end=True) == [
        'share of the loss, steps 121 to 122: loss_kpt 95.9 %, loss_token 4.1 %'
    ]


def test_every_run_begins_anew() -> None:
    hook = LossShareHook(1)
    assert _run(hook, STEPS[:1]) == ['share of the loss, steps 1 to 1: loss_kpt 60.0 %, loss_token 40.0 %']
    assert _run(hook, STEPS[1:]) == ['share of the loss, steps 1 to 1: loss_kpt 99.9 %, loss_token 0.1 %']


def test_small_shares_are_legible() -> None:
    (line,) = _run(LossShareHook(1), [dict(loss_kpt=1.0, loss_query=2.34e-6, loss_visual=1.23e-9, loss_off=0.0)])
    assert line.endswith('loss_kpt 100.0 %, loss_query 0.00023 %, loss_visual 1.2e-07 %, loss_off 0.0 %')


def test_one_term_needs_no_line() -> None:
    assert _run(LossShareHook(1), [dict(loss=1.0, loss_kpt=1.0, acc_pose=0.5)]) == []
    assert _run(LossShareHook(), [], end=True) == []


def test_bad_number_of_steps() -> None:
    with pytest.raises(ValueError, match='steps must be at least 1, got 0'):
        LossShareHook(0)


def test_a_term_that_a_resumed_run_no_longer_has_is_forgotten() -> None:
    runner = _runner('loss_share_resumed', print, 7, 1)
    hub = runner.message_hub
    for name in ('loss', 'loss_kpt', 'loss_visual', 'acc_pose', 'lr'):
        hub.update_scalar(f'train/{name}', 1.0)
    hub.update_scalar('val/loss_other', 1.0)
    hook = LossShareHook()
    hook.before_train(runner)
    hook.after_train_iter(runner, 0, outputs=dict(loss=1.0, loss_kpt=1.0, acc_pose=1.0))
    assert sorted(hub.log_scalars) == ['train/acc_pose', 'train/loss', 'train/loss_kpt', 'train/lr', 'val/loss_other']


def test_a_term_that_only_later_steps_of_a_resumed_run_have_is_kept() -> None:
    """Of a random number of cycles the first step may have run one."""
    runner = _runner('loss_share_cycles', print, 7, 3)
    hub, hook = runner.message_hub, LossShareHook()
    hook.before_train(runner)
    for number, names in enumerate((['loss', 'loss_one'], ['loss', 'loss_one', 'loss_two'], ['loss', 'loss_one'])):
        for name in names:
            hub.update_scalar(f'train/{name}', 1.0)
        hook.after_train_iter(runner, number, outputs=dict.fromkeys(names, 1.0))
    assert sorted(hub.log_scalars) == ['train/loss', 'train/loss_one', 'train/loss_two']
