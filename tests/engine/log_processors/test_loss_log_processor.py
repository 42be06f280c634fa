"""A line of the training log: shares by hand, small terms legible."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.registry import LOG_PROCESSORS
from mmengine.runner import LogProcessor

import sdpose  # noqa: F401

STEPS = [
    dict(loss=2.0, loss_kpt=1.5, acc_pose=0.25, loss_query=0.5),
    dict(loss=4.0, loss_kpt=3.5, acc_pose=0.5, loss_query=0.5),
]


def _runner(steps: list[dict], name: str) -> SimpleNamespace:
    hub = MessageHub(name)
    hub.update_scalar('train/lr', 1e-3)
    for step in steps:
        for key, value in step.items():
            hub.update_scalar(f'train/{key}', value)
    loop = SimpleNamespace(dataloader=range(10))
    return SimpleNamespace(
        message_hub=hub,
        iter=1,
        epoch=0,
        max_epochs=3,
        train_loop=loop,
        val_loop=loop,
        _train_loop=loop,
        model=torch.nn.Identity(),
    )


def _log(steps: list[dict], mode: str = 'train', **options) -> tuple[dict, str]:
    config = dict(type='LossLogProcessor', window_size=50, num_digits=6, **options)
    return LOG_PROCESSORS.build(config).get_log_after_iter(_runner(steps, f'log_{id(steps)}'), 1, mode)


def test_shares_are_those_of_the_window() -> None:
    tag, text = _log(STEPS)  # means 2.5 and 0.5
    assert tag['share_kpt'] == pytest.approx(2.5 / 3)
    assert tag['share_query'] == pytest.approx(0.5 / 3)
    assert 'share_pose' not in tag
    assert text.endswith(
        'loss: 3.000000  loss_kpt: 2.500000  acc_pose: 0.500000  loss_query: 0.500000  '
        'share_kpt: 0.833  share_query: 0.167'
    )


@pytest.mark.parametrize('hierarchy', [False, True])
def test_a_term_that_some_steps_lack_has_its_share_of_all(hierarchy: bool) -> None:
    """As with a random number of cycles: over the steps the terms' shares are those of the loss."""
    runner = _runner([dict(loss=2.0, loss_a=2.0), dict(loss=8.0, loss_a=2.0, loss_b=6.0)], f'lack_{hierarchy}')
    config = dict(type='LossLogProcessor', window_size=50, num_digits=6, log_with_hierarchy=hierarchy)
    processor, prefix = LOG_PROCESSORS.build(config), 'train/' if hierarchy else ''
    tag, text = processor.get_log_after_iter(runner, 1, 'train')
    assert tag[f'{prefix}share_a'] == pytest.approx(4 / 10) and tag[f'{prefix}share_b'] == pytest.approx(6 / 10)
    assert 'loss_b: 6.000000' in text  # where there is one
    for _ in range(2):
        runner.message_hub.update_scalar('train/loss', 2.0)
        runner.message_hub.update_scalar('train/loss_a', 2.0)
    tag, text = processor.get_log_after_iter(runner, 3, 'train')
    assert 'loss_a: 2.000000' in text and 'loss_b' not in text and not any('_b' in key for key in tag)


def test_scalars_with_hierarchy() -> None:
    tag, text = _log(STEPS, log_with_hierarchy=True)
    assert tag['train/share_query'] == pytest.approx(0.5 / 3)
    assert text.endswith('share_query: 0.167')


def test_small_terms_are_legible() -> None:
    step = dict(loss=5.1e-5, loss_kpt=3.0000000e-4, loss_x=0.0, loss_query=4.93e-6, xloss_query=4.93e-6, lr_loss=-2e-9)
    tag, text = _log([step])
    for part in (
        '  loss: 5.1e-05  ',
        'loss_kpt: 0.000300',
        'loss_x: 0.000000',
        '  loss_query: 4.93e-06',
        '  xloss_query: 4.93e-06',
        'lr_loss: -2e-09',
    ):
        assert part in text, part
    assert tag['loss_query'] == 4.93e-6
    assert tag['share_query'] == pytest.approx(4.93e-6 / (3e-4 + 2 * 4.93e-6 + 2e-9))
    assert f'share_query: {tag["share_query"]:.3g}' in text


def test_a_single_term_has_no_share() -> None:
    tag, text = _log([dict(loss=0.5, loss_kpt=0.5, acc_pose=1.0)])
    assert 'share' not in text
    assert not [key for key in tag if key.startswith('share')]


@pytest.mark.parametrize('mode', ['train', 'val'])
def test_the_rest_is_mmengines(mode: str) -> None:
    runner = _runner(STEPS, f'rest_{mode}')
    tag, text = LOG_PROCESSORS.build(dict(type='LossLogProcessor')).get_log_after_iter(runner, 1, mode)
    theirs, their_text = LogProcessor().get_log_after_iter(runner, 1, mode)
    assert {key: value for key, value in tag.items() if not key.startswith('share')} == theirs
    assert text.startswith(their_text)
    assert (text == their_text) == (mode == 'val')
