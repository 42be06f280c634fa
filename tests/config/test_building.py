"""Where an exception arises decides whether the config, a file or the program is at fault."""

import errno
from pathlib import Path

import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.hooks import CheckpointHook
from mmengine.optim import OptimWrapper

import sdpose  # noqa: F401
from sdpose.config.building import build_model, building, building_late
from sdpose.config.load import load_config
from sdpose.errors import ConfigError, DataError, UserError


class _Table(BaseDataset):
    """A data set that reads its file in its own way."""

    def load_data_list(self) -> list[dict]:
        text = Path(self.ann_file).read_text()
        if text == 'number':
            return [int(line) for line in ['x']]
        return [dict(a=dict()[text])]


class _Metric(BaseMetric):
    def __init__(self, ann_file: str, count: int = 0) -> None:
        super().__init__()
        if count < 0:
            raise ValueError('count is negative')
        self.first = Path(ann_file).read_text().splitlines()[3]

    def process(self, data_batch: object, data_samples: object) -> None: ...

    def compute_metrics(self, results: list) -> dict: ...


@pytest.mark.parametrize('text, said', [('number', 'ValueError|invalid literal'), ('key', "'key'")])
def test_a_data_set_that_cannot_read_its_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / 'people.csv').write_text(text)
    with pytest.raises(DataError, match=f'people.csv cannot be read by _Table: .*({said})') as caught, building():
        _Table(ann_file=str(tmp_path / 'people.csv'))
    assert 'parts of the config' not in str(caught.value)


def test_a_metric_that_cannot_read_its_file_is_told_from_one_with_a_wrong_value(tmp_path: Path) -> None:
    (tmp_path / 'a.json').write_text('')
    with pytest.raises(DataError, match='a.json cannot be read by _Metric'), building():
        _Metric(str(tmp_path / 'a.json'))
    with pytest.raises(ConfigError, match='count is negative'), building():
        _Metric('a.json', -1)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f'{tmp_path}/gone: No such file'), building():
        open(tmp_path / 'gone')


def test_checks_of_others_are_about_the_config() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1)
    for make in (
        lambda: OptimWrapper(optimizer, accumulative_counts=0),
        lambda: OptimWrapper(optimizer, clip_grad={}),
        lambda: CheckpointHook(save_best='a', rule='best'),
    ):
        with pytest.raises(ConfigError, match='^part: .*SDPOSE_TRACEBACK=1') as caught, building('part'):
            make()
        assert '\n' not in str(caught.value)


def test_defects_stay_defects() -> None:
    for error in (AttributeError('a'), RuntimeError('a'), IndexError('a'), ZeroDivisionError('a')):
        with pytest.raises(type(error)), building():
            raise error
    with pytest.raises(DataError, match='^a$'), building():
        raise DataError('a')


def test_a_port_in_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('MASTER_ADDR', 'here')
    monkeypatch.setenv('MASTER_PORT', '29511')
    with pytest.raises(ConfigError, match='port 29511 of here is in use: set MASTER_PORT'), building():
        raise RuntimeError('The server socket has failed to listen. port: 29511, code: -98, name: EADDRINUSE')


@pytest.mark.parametrize(
    'options, message',
    [
        ({'model.neck.pruner': dict(type='TokenPruner', keep_ratio=1.5)}, r'^model\.neck\.pruner: keep_ratio must lie'),
        ({'model.neck.pruner': dict(type='StemNet')}, r'^model\.neck\.pruner: StemNet is not derived from BasePruner'),
        ({'model.neck.attention': dict(type='SelfAttention', scale=3.0)}, r'^model\.neck\.attention sets scale'),
        (
            {'model.neck.pruner': dict(type='TokenPrunr')},
            r'^model\.neck\.pruner: TokenPrunr is not in .*; did you mean TokenPruner\? .*custom_imports',
        ),
        (
            {'model.distiller.terms.loss_visual.loss_weight': -1.0},
            r'^model\.distiller\.terms\.loss_visual: loss_weight',
        ),
    ],
)
def test_the_part_that_refuses_is_named(options: dict, message: str) -> None:
    config = load_config('sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48', options)
    with pytest.raises(ConfigError, match=message):
        build_model(config.model)


def test_a_full_disk_is_no_fault_of_the_file() -> None:
    with pytest.raises(OSError, match='No space left'), building():
        raise OSError(errno.ENOSPC, 'No space left on device', 'run.log')


class _Run:
    """A stand-in for a run that calls a hook."""

    def call_hook(self, hook: CheckpointHook) -> None:
        hook.after_train_epoch(self)


def test_a_hook_of_a_library_that_fails_at_its_values_is_named() -> None:
    with pytest.raises(ConfigError, match='the hook CheckpointHook fails at the values'), building_late():
        _Run().call_hook(CheckpointHook(interval=1))


def test_a_part_that_is_none_is_the_configs() -> None:
    with pytest.raises(ConfigError, match='cfg should be a dict'):
        build_model(dict(type='TopdownPoseEstimator', backbone=None))
