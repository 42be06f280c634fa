"""A damaged checkpoint is one line that names the file."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import damaged_files
import pytest
import torch
from honest_checkpoint import content_of, runner_of, small_model, write_honest
from mmengine.runner.checkpoint import CheckpointLoader

from sdpose.engine.hooks import StrictLoadHook
from sdpose.errors import CheckpointError, MismatchError, NonFiniteError, UserError
from sdpose.io.weights_file import checked, require_finite

# What only a comparison with the model can tell.
BY_THE_MODEL = {'weight_missing', 'weight_misshaped'}


def load(file: Path) -> Any:
    return CheckpointLoader.load_checkpoint(str(file), map_location='cpu')


@pytest.mark.parametrize('name', damaged_files.DAMAGED)
def test_every_kind_of_damage(tmp_path: Path, name: str):
    runner = write_honest(tmp_path / 'honest.pth')
    file = damaged_files.write(name, tmp_path / 'honest.pth', tmp_path)
    if name in BY_THE_MODEL:
        with pytest.raises(MismatchError, match='some.pth does not fit the model'):
            StrictLoadHook().after_load_checkpoint(runner, load(file))
        return
    with pytest.raises(UserError) as caught:
        load(file)
    assert str(file) in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize('name', damaged_files.RESUMED)
def test_damage_that_only_resuming_meets(tmp_path: Path, name: str):
    runner = write_honest(tmp_path / 'honest.pth')
    content = load(damaged_files.write(name, tmp_path / 'honest.pth', tmp_path))
    StrictLoadHook().after_load_checkpoint(runner, content)
    runner._resume = True
    message = r'^some.pth (cannot be resumed from: its \w+ entry|holds weights, not a training)'
    with pytest.raises(UserError, match=message) as caught:
        StrictLoadHook().after_load_checkpoint(runner, content)
    assert '\n' not in str(caught.value)


def test_an_honest_checkpoint_can_be_resumed_from(tmp_path: Path):
    runner = write_honest(tmp_path / 'honest.pth')
    runner._resume = True
    content = load(tmp_path / 'honest.pth')
    content['ema_state_dict'] = {
        'steps': torch.tensor(3),
        **{f'module.{key}': value for key, value in content['state_dict'].items()},
    }
    before = {key: value.clone() for key, value in content['state_dict'].items()}
    StrictLoadHook().after_load_checkpoint(runner, content)
    assert content['state_dict'].keys() == before.keys()
    assert all(torch.equal(value, before[key]) for key, value in content['state_dict'].items())


def test_what_to_resume_from_instead_is_named(tmp_path: Path):
    runner = write_honest(tmp_path / 'epoch_3.pth')
    content = content_of(runner)
    del content['optimizer']
    runner._resume, runner._load_from = True, str(tmp_path / 'best.pth')
    with pytest.raises(
        UserError,
        match=rf'no optimizer.*load_from={tmp_path}/best.pth, or resume from '
        rf'{tmp_path}/epoch_3.pth$',
    ):
        StrictLoadHook().after_load_checkpoint(runner, content)


@pytest.mark.parametrize(
    'prefix', ['module.', '_orig_mod.', 'module._orig_mod.', '_orig_mod.module.', 'module._orig_mod.module.']
)
@pytest.mark.parametrize('bare', [True, False])
def test_prefixes_of_wrappers(tmp_path: Path, prefix: str, bare: bool):
    model = small_model()
    state = OrderedDict((f'{prefix}{key}', value) for key, value in model.state_dict().items())
    torch.save(state if bare else dict(state_dict=state), tmp_path / 'a.pth')
    loaded = load(tmp_path / 'a.pth')
    runner = runner_of(model)
    StrictLoadHook().after_load_checkpoint(runner, loaded)
    assert list(loaded['state_dict']) == list(model.state_dict())


def test_a_part_that_is_called_like_a_wrapper_keeps_its_name():
    state = {'head.module.weight': torch.ones(1)}
    assert checked(dict(state_dict=state), 'a.pth')['state_dict'] == state


@pytest.mark.parametrize(
    'value, sound',
    [
        (torch.tensor([1.0, float('nan')]), False),
        (torch.tensor([1.0, float('inf')]), False),
        (torch.tensor([1.0, float('-inf')]), False),
        (torch.tensor([float('-inf')] * 2), False),
        (torch.tensor([float('-inf'), 0.0]), True),  # a mask
        (torch.tensor([float('inf'), 0.0]), False),
        (torch.tensor([1, 2]), True),
        (torch.tensor([True]), True),
        (torch.ones(0), True),
        (torch.tensor([1.5, float('nan')], dtype=torch.bfloat16), False),
        (torch.tensor([1.5, float('nan')]).to(torch.float8_e4m3fn), False),
        (torch.tensor([complex(1, float('inf'))]), False),
    ],
)
def test_which_weights_are_no_numbers(value: torch.Tensor, sound: bool):
    weights = {'a': torch.ones(2), 'b.bias': value, 'epoch': 3}
    if sound:
        return require_finite(weights, 'a.pth')
    with pytest.raises(NonFiniteError, match=r'^a.pth holds NaN or infinite numbers in 1 of 2 .*\(first: b.bias\)'):
        require_finite(weights, 'a.pth')


def test_weights_below_another_name_are_left_to_the_converter():
    assert checked(dict(model={'a': torch.ones(1)}), 'a.pth')['model'].keys() == {'a'}
    with pytest.raises(NonFiniteError, match='a.pth'):
        checked(dict(model={'a': torch.tensor([float('nan')])}), 'a.pth')
    with pytest.raises(CheckpointError, match='holds no weights'):
        checked(dict(model={}), 'a.pth')
