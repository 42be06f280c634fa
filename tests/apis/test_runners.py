"""Runs of one process are told apart."""

import time
from pathlib import Path

import pytest
from mmengine.config import Config

from sdpose.apis.runners import build_runner


def test_two_runs_in_a_second_share_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'c.py').write_text("default_scope = 'mmengine'\nmodel = dict(type='ImgDataPreprocessor')\n")
    clock = [1_800_000_000.5]  # stands still but for who sleeps
    monkeypatch.setattr(time, 'time', lambda: clock[0])
    monkeypatch.setattr(time, 'sleep', lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    runners = []
    for name in 'abc':
        cfg = Config.fromfile(tmp_path / 'c.py')
        cfg.work_dir = str(tmp_path / name)
        if name == 'b':
            cfg.visualizer = dict(type='Visualizer', vis_backends=[dict(type='NoBackend')])  # a run that never begins
            with pytest.raises(KeyError, match='NoBackend'):
                build_runner(cfg)
        else:
            runners.append(build_runner(cfg))
    first, last = runners
    assert first.experiment_name != last.experiment_name and first.message_hub is not last.message_hub
    assert first.logger is not last.logger
    assert all(len(list((tmp_path / name).glob('*/*.log'))) == 1 for name in 'abc')
