"""An honest checkpoint, damaged in every way that was thought of; each is refused in one line, by whoever reads it.

``write(name, source, folder)`` writes a damaged copy of the checkpoint ``source``. Those of ``RESUMED`` are sound for
testing and unfit for resuming only.
"""

import os
import random
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

_SEED = 5


def write(name: str, source: Path, folder: Path) -> Path:
    """Write a damaged copy of a checkpoint.

    Args:
        name: A key of ``DAMAGED`` or ``RESUMED``.
        source: The checkpoint; its weights are float tensors.
        folder: Where the copy goes.

    Returns:
        The copy.
    """
    file = folder / f'{name}.pth'
    {**DAMAGED, **RESUMED}[name](source, file)
    return file


Damage = Callable[[Path, Path], Any]


def _bytes(change: Callable[[bytes], bytes]) -> Damage:
    return lambda source, file: file.write_bytes(change(source.read_bytes()))


def _content(change: Callable[[dict], Any]) -> Damage:
    """Load, change in place or return something else, save."""

    def damage(source: Path, file: Path) -> None:
        content = torch.load(source, weights_only=False)
        changed = change(content)
        torch.save(content if changed is None else changed, file)

    return damage


def _weights(change: Callable[[OrderedDict], Any]) -> Damage:
    return _content(lambda content: change(content['state_dict']))


def _set(*path: str, to: Any) -> Damage:
    """Replace an entry."""

    def change(content: dict) -> None:
        for key in path[:-1]:
            content = content.setdefault(key, {})
        content[path[-1]] = to

    return _content(change)


def _records(change: Callable[[str, bytes], bytes]) -> Damage:
    """Change records without their checksums."""

    def damage(source: Path, file: Path) -> None:
        content = bytearray(source.read_bytes())
        with zipfile.ZipFile(source) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as record:
                    start = record._orig_compress_start
                before = bytes(content[start : start + entry.file_size])
                content[start : start + entry.file_size] = change(entry.filename.partition('/')[2], before)
        file.write_bytes(content)

    return damage


def _flipped(part: str) -> Callable[[str, bytes], bytes]:

    def change(name: str, content: bytes) -> bytes:
        if name != part or not content:
            return content
        place = random.Random(_SEED).randrange(len(content))
        return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]

    return change


def _largest(source: Path, file: Path) -> None:
    """One bit of the largest tensor."""
    with zipfile.ZipFile(source) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size).filename.partition('/')[2]
    _records(_flipped(largest))(source, file)


def _first(weights: OrderedDict, minimum: int = 2) -> str:
    return next(key for key, value in weights.items() if value.is_floating_point() and value.dim() >= minimum)


def _with(weights: OrderedDict, change: Callable[[torch.Tensor], Any]) -> None:
    weights[_first(weights)] = change(weights[_first(weights)])


def _fill(value: float) -> Callable[[torch.Tensor], torch.Tensor]:

    def change(weight: torch.Tensor) -> torch.Tensor:
        weight = weight.clone()
        weight.view(-1)[3] = value
        return weight

    return change


def _zip_of_text(source: Path, file: Path) -> None:
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('read.me', 'a text')


def _without(content: dict, *path: str) -> None:
    for key in path[:-1]:
        content = content[key]
    del content[path[-1]]


DAMAGED: dict[str, Damage] = {
    # another kind of file
    'text': _bytes(lambda content: b'epoch,loss\n1,0.5\n' * 50),
    'html': _bytes(lambda content: b'<!DOCTYPE html><html><body>404 Not Found</body></html>'),
    'picture': _bytes(lambda content: b'\x89PNG\r\n\x1a\n' + content[:5000]),
    'safetensors': _bytes(lambda content: (64).to_bytes(8, 'little') + b'{"a":{"dtype":"F32","shape":[2],"data_off'),
    'zip_of_text': _zip_of_text,
    'folder': lambda source, file: file.mkdir(),
    'pipe': lambda source, file: os.mkfifo(file),
    # torn
    'empty': _bytes(lambda content: b''),
    'one_byte': _bytes(lambda content: content[:1]),
    'first_kilobyte': _bytes(lambda content: content[:1024]),
    'half': _bytes(lambda content: content[: len(content) // 2]),
    'without_last_byte': _bytes(lambda content: content[:-1]),
    'zeros': _bytes(lambda content: bytes(len(content))),
    'hole': _bytes(lambda content: content[: len(content) // 3] + bytes(4096) + content[len(content) // 3 + 4096 :]),
    'twice': _bytes(lambda content: content + content[:999]),
    # flipped
    'bit_of_a_tensor': _largest,
    'bit_of_the_pickle': _records(_flipped('data.pkl')),
    'noise_in_the_table': _bytes(lambda content: content[:-300] + random.Random(_SEED).randbytes(200) + content[-100:]),
    # another content
    'list': _content(lambda content: list(content['state_dict'].values())),
    'number': _content(lambda content: 5),
    'only_a_tensor': _content(lambda content: torch.ones(3)),
    'nothing': _content(lambda content: {}),
    'integer_keys': _content(lambda content: dict(enumerate(content['state_dict'].values()))),
    'no_weights': _content(lambda content: dict(epoch=3)),
    'state_dict_none': _set('state_dict', to=None),
    'state_dict_list': _content(lambda content: dict(content, state_dict=list(content['state_dict'].values()))),
    'state_dict_empty': _set('state_dict', to={}),
    'state_dict_integer_keys': _content(
        lambda content: dict(content, state_dict=dict(enumerate(content['state_dict'].values())))
    ),
    'weight_text': _weights(lambda weights: _with(weights, lambda weight: 'text')),
    'weight_none': _weights(lambda weights: _with(weights, lambda weight: None)),
    'weight_list': _weights(lambda weights: _with(weights, lambda weight: weight.tolist())),
    'weight_missing': _weights(lambda weights: weights.__delitem__(_first(weights))),
    'weight_misshaped': _weights(lambda weights: _with(weights, lambda weight: weight[..., :-1])),
    'weight_nan': _weights(lambda weights: _with(weights, _fill(float('nan')))),
    'weight_infinite': _weights(lambda weights: _with(weights, _fill(float('inf')))),
    'weight_minus_infinite': _weights(lambda weights: _with(weights, _fill(float('-inf')))),
    'same_names_twice': _weights(
        lambda weights: weights.update({f'module.{key}': value for key, value in list(weights.items())})
    ),
    'meta_none': _set('meta', to=None),
    'meta_list': _set('meta', to=[1, 2]),
    'meta_text': _set('meta', to='text'),
    'epoch_text': _set('meta', 'epoch', to='three'),
    'epoch_negative': _set('meta', 'epoch', to=-1),
    'iter_fraction': _set('meta', 'iter', to=2.5),
    'seed_text': _set('meta', 'seed', to='text'),
    'config_number': _set('meta', 'cfg', to=7),
    'dataset_meta_number': _set('meta', 'dataset_meta', to=3),
    'dataset_meta_list': _set('meta', 'dataset_meta', to=['a']),
    'stripped_number': _set('meta', 'stripped', to=3),
    'message_hub_list': _set('message_hub', to=[1]),
    'runtime_info_text': _set('message_hub', 'runtime_info', to='text'),
}

RESUMED: dict[str, Damage] = {
    'no_optimizer': _content(lambda content: _without(content, 'optimizer')),
    'no_epoch': _content(lambda content: _without(content, 'meta', 'epoch')),
    'no_message_hub': _content(lambda content: _without(content, 'message_hub')),
    'no_log_scalars': _content(lambda content: _without(content, 'message_hub', 'log_scalars')),
    'optimizer_none': _set('optimizer', to=None),
    'optimizer_list': _set('optimizer', to=[1]),
    'optimizer_without_groups': _content(lambda content: _without(content, 'optimizer', 'param_groups')),
    'optimizer_of_another': _set('optimizer', 'param_groups', to=[dict(lr=1, params=[0])]),
    'optimizer_state_text': _set('optimizer', 'state', to={0: 'text'}),
    'momenta_misshaped': _content(lambda content: content['optimizer']['state'][0].update(exp_avg=torch.ones(7))),
    'learning_rate_text': _content(lambda content: content['optimizer']['param_groups'][0].update(lr='fast')),
    'schedulers_text': _set('param_schedulers', to='text'),
    'schedulers_of_text': _set('param_schedulers', to=['text', 'text']),
    'scheduler_shadowed': _content(lambda content: content['param_schedulers'][0].update(step=5)),
    'scheduler_step_text': _content(lambda content: content['param_schedulers'][0].update(_global_step='text')),
    'average_text': _set('ema_state_dict', to='text'),
    'average_of_another': _content(lambda content: content.update(ema_state_dict={'module.other': torch.ones(2)})),
}
