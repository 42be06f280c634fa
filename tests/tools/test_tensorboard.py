"""Curves for TensorBoard by one line of a config, beside those that stay in the run's folder."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_BACKENDS = "visualizer.vis_backends=[{type: 'LocalVisBackend'}, {type: 'TensorboardVisBackend'}]"
# Apart, as the training is: TensorBoard brings a logging handler that closes what stands for stderr at its import.
_READ = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
tags = events.Tags()['scalars']
print(json.dumps({tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags}))
"""


def test_its_events_are_the_scalars_of_the_log(workspace: Path, run_tool: Callable) -> None:
    options = [_BACKENDS, 'train_cfg.max_epochs=2', 'train_cfg.val_interval=2', 'train_dataloader.num_workers=0']
    run_tool('tools/train.py', 'tiny.py', '--work-dir', 'run', '--cfg-options', *options, cwd=workspace, check=True)
    (folder,) = workspace.glob('run/*/vis_data')
    lines = [json.loads(line) for line in (folder / 'scalars.json').read_text().splitlines()]
    read = subprocess.run([sys.executable, '-c', _READ, folder], capture_output=True, text=True, check=True)
    events = json.loads(read.stdout)
    assert {'loss', 'loss_kpt_cycle2', 'loss_visual', 'share_query', 'acc_pose', 'lr', 'coco/AP'} <= set(events)
    for key in ('loss', 'loss_visual', 'coco/AP'):
        written = [[line['step'], line[key]] for line in lines if key in line]
        assert len(written) == (1 if key == 'coco/AP' else 6)  # 12 people in batches of four, two epochs
        assert events[key] == [[step, pytest.approx(value, rel=1e-6)] for step, value in written]
