"""Curves for TensorBoard by one line of a config, beside those that stay in the run's folder."""

import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sdpose.apis import training

_BACKENDS = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]


def test_its_events_are_the_scalars_of_the_log(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace)
    options = {
        'visualizer.vis_backends': _BACKENDS,
        'train_cfg.max_epochs': 2,
        'train_cfg.val_interval': 2,
        'train_dataloader.num_workers': 0,
    }
    training.train('tiny.py', work_dir='run', cfg_options=options)
    (folder,) = Path('run').glob('*/vis_data')
    lines = [json.loads(line) for line in (folder / 'scalars.json').read_text().splitlines()]
    events = EventAccumulator(str(folder)).Reload()
    tags = set(events.Tags()['scalars'])
    assert {'loss', 'loss_kpt_cycle2', 'loss_visual', 'share_query', 'acc_pose', 'lr', 'coco/AP'} <= tags
    for key in ('loss', 'loss_visual', 'coco/AP'):
        written = [(line['step'], line[key]) for line in lines if key in line]
        assert len(written) == (1 if key == 'coco/AP' else 6)  # 12 people in batches of four, two epochs
        assert [(event.step, event.value) for event in events.Scalars(key)] == [
            (step, pytest.approx(value, rel=1e-6)) for step, value in written
        ]
