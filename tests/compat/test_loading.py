"""Checkpoints load weights only, with the types that MMEngine stores."""

import os
import pickle
import re
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path

import mmengine.runner.checkpoint as mmengine_checkpoint
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader, _load_checkpoint, load_checkpoint

from sdpose.errors import CheckpointError


class MakesFile:
    """What a malicious checkpoint carries: loading it carelessly would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.path,)


class StoresMethods:
    """A log history as MMEngine 0.10.7 itself writes it: its methods among the numbers."""

    def __init__(self, method: str) -> None:
        self.method = method

    def __reduce__(self) -> tuple:
        state = dict(
            max_length=9,
            _log_history=np.array([1.0, 3.0]),
            _count_history=np.array([1, 1]),
            statistics_methods={self.method: getattr(HistoryBuffer, self.method)},
        )
        return HistoryBuffer, (), state


def test_everything_mmengine_stores_comes_back(tmp_path: Path):
    meta = dict(
        score=np.float64(0.25),
        count=np.int64(7),
        flag=np.bool_(True),
        sigmas=np.ones(3, np.float32),
        colors=np.full((2, 3), 9, np.uint8),
        swap=np.array([[0, 1]], np.int32),
        half=np.float32(0.5),
    )
    torch.save(
        dict(state_dict={'w': torch.arange(3.0)}, meta=meta, log=HistoryBuffer([1, 2, 6], [1, 1, 1])),
        tmp_path / 'a.pth',
    )
    loaded = _load_checkpoint(str(tmp_path / 'a.pth'), map_location='cpu')
    assert loaded['state_dict']['w'].tolist() == [0, 1, 2]
    for key, value in meta.items():
        assert type(loaded['meta'][key]) is type(value) and np.array_equal(loaded['meta'][key], value)
    assert loaded['meta']['sigmas'].dtype == np.float32
    assert loaded['log'].mean() == 3 and loaded['log'].max() == 6
    assert 'statistics_methods' not in vars(loaded['log'])


@pytest.mark.parametrize('method', ['min', 'max', 'current', 'mean'])
def test_log_histories_of_plain_mmengine_load(tmp_path: Path, method: str):
    torch.save({'log': StoresMethods(method), 'w': torch.zeros(1)}, tmp_path / 'a.pth')
    assert b'getattr' in (tmp_path / 'a.pth').read_bytes()
    assert _load_checkpoint(str(tmp_path / 'a.pth'))['log'].mean() == 2


def test_getattr_reaches_nothing_else(tmp_path: Path):
    torch.save({'log': StoresMethods('register_statistics')}, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='a.pth was refused.*builtins.getattr'):
        _load_checkpoint(str(tmp_path / 'a.pth'))


@pytest.mark.parametrize('package', ['numpy.core', 'numpy._core'])
def test_names_of_numpy_1_and_2_load(tmp_path: Path, package: str):
    """A checkpoint names NumPy's rebuilders as the NumPy of the machine that wrote it did."""
    torch.save(dict(score=np.float64(0.25), array=np.arange(3), w=torch.zeros(1)), tmp_path / 'here.pth')
    with zipfile.ZipFile(tmp_path / 'here.pth') as here, zipfile.ZipFile(tmp_path / 'there.pth', 'w') as there:
        for name in here.namelist():
            content = here.read(name)
            if name.endswith('data.pkl'):
                content = re.sub(rb'cnumpy\.\w+\.multiarray', f'c{package}.multiarray'.encode(), content)
                assert content.count(package.encode()) == 2
            there.writestr(name, content)
    loaded = _load_checkpoint(str(tmp_path / 'there.pth'))
    assert loaded['score'] == 0.25 and loaded['array'].tolist() == [0, 1, 2]


@pytest.mark.parametrize('weights_only_default', ['0', '1'])
def test_foreign_code_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights_only_default: str
):
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', weights_only_default)
    trap, evil = tmp_path / 'trap', tmp_path / 'evil.pth'
    torch.save(dict(state_dict={'w': torch.zeros(1)}, meta=MakesFile(trap)), evil)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(torch.nn.Linear(1, 1), str(evil))
    message = str(caught.value)
    assert str(evil) in message and 'posix.mkdir' in message and 'nothing in it was run' in message
    assert 'weights_only' not in message  # torch's own text recommends to switch the protection off
    assert not trap.exists()
    torch.load(evil, weights_only=False)
    assert trap.exists(), 'the file was harmless, so this test proved nothing'


@pytest.mark.parametrize('protocol', [2, 4])
def test_a_bare_pickle_is_refused(tmp_path: Path, protocol: int):
    trap, evil = tmp_path / 'trap', tmp_path / 'evil.pth'
    evil.write_bytes(pickle.dumps(MakesFile(trap), protocol=protocol))
    with pytest.raises(CheckpointError, match='evil.pth'):
        CheckpointLoader.load_checkpoint(str(evil))
    assert not trap.exists()


def test_a_download_is_refused_too(tmp_path: Path):
    """torch.hub, which MMEngine downloads with, loads everything by default."""
    trap, evil = tmp_path / 'trap', tmp_path / 'evil.pth'
    torch.save(MakesFile(trap), evil)
    from mmengine.runner import checkpoint

    with pytest.raises(CheckpointError, match='evil.pth was refused'):
        checkpoint.load_url(evil.as_uri(), model_dir=str(tmp_path / 'cache'), progress=False)
    assert (tmp_path / 'cache' / 'evil.pth').exists() and not trap.exists()


def test_a_torn_checkpoint_says_so(tmp_path: Path):
    torch.save({'w': torch.zeros(1000)}, tmp_path / 'whole.pth')
    content = (tmp_path / 'whole.pth').read_bytes()
    for size in (0, 10, len(content) // 2, len(content) - 1):
        (tmp_path / 'torn.pth').write_bytes(content[:size])
        with pytest.raises(CheckpointError, match='torn.pth is not a (complete )?checkpoint'):
            CheckpointLoader.load_checkpoint(str(tmp_path / 'torn.pth'))


def test_an_absent_checkpoint_says_so(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match='Checkpoint not found: .*none.pth'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'none.pth'))


def test_the_metainfo_of_a_users_data_set_is_written_as_plain_values(tmp_path: Path) -> None:
    info = dict(
        name=Path('a/b'),
        classes=frozenset({'x'}),
        numbers=range(3),
        table=defaultdict(list, {'a': [1]}),
        odd=np.array(['a', None], dtype=object),
        ragged=np.array([[1], [1, 2]], dtype=object),
        day=np.array(['2020-01-01'], dtype='M8[D]'),
        masked=np.ma.array([1, 2], mask=[0, 1]),
        kind=dict,
        kept=np.ones(2, np.float16),
        order=OrderedDict(b=1, a=2),
        nested=[(Path('c'), {1: np.array([], np.float32)})],
    )
    mmengine_checkpoint.save_checkpoint(
        dict(meta=dict(dataset_meta=info, epoch=1), state_dict=dict(a=torch.zeros(1))), str(tmp_path / 'a.pth')
    )
    found = CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'), 'cpu')['meta']['dataset_meta']
    kept, nested = found.pop('kept'), found.pop('nested')
    assert kept.dtype == np.float16 and nested[0][0] == 'c' and nested[0][1][1].dtype == np.float32
    assert type(found['table']) is dict and type(found['order']) is OrderedDict
    assert {key: str(value) for key, value in found.items()} == dict(
        name='a/b',
        classes="('x',)",
        numbers='(0, 1, 2)',
        table="{'a': [1]}",
        odd="['a', None]",
        ragged='[[1], [1, 2]]',
        day="['2020-01-01']",
        masked='[1, None]',
        kind='dict',
        order=str(OrderedDict(b=1, a=2)),
    )
    assert isinstance(info['name'], Path)  # what the run has stays as it is
