"""The record of a training's validations."""

from pathlib import Path

import numpy as np
import pytest

from sdpose.engine.validation_record import ValidationRecord


def record(folder: Path, run: str = 'a') -> ValidationRecord:
    return ValidationRecord(folder, run)


def filled(folder: Path) -> ValidationRecord:
    kept = record(folder)
    for step, ap in ((1, 0.2), (2, 0.5), (3, float('nan')), (4, 0.5), (5, 0.4)):
        kept.add(step, {'coco/AP': np.float64(ap), 'name': 'not a number'})
    return kept


def test_what_was_added_is_read(tmp_path: Path) -> None:
    filled(tmp_path)
    again = record(tmp_path)
    again.read(last=4)
    assert [step in again for step in range(6)] == [False, True, True, True, True, False]
    assert again.ranked('coco/AP', 'greater') == [2, 4, 1]
    assert again.ranked('coco/AP', 'less') == [1, 2, 4]
    assert again.ranked('name', 'greater') == []
    assert again.score(2, 'coco/AP') == 0.5
    assert again.metric_names() == ['coco/AP']


def test_another_training_counts_for_nothing(tmp_path: Path) -> None:
    filled(tmp_path)
    other = record(tmp_path, 'b')
    other.read(last=9)
    assert 1 not in other


@pytest.mark.parametrize('content', ['', '[]', '{"run": "a"}', '{"run": "a", "validations": {"x": 1}}', '\x00'])
def test_a_damaged_file_is_said_and_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str) -> None:
    (tmp_path / 'validations.json').write_text(content)
    damaged = record(tmp_path)
    damaged.read(last=9)
    assert damaged.metric_names() == []
    damaged.add(1, {'coco/AP': 0.1})
    assert 1 in damaged
