"""The area under the curve by hand, with ties, and what cannot be compared."""

from typing import Any

import numpy as np
import pytest

from sdpose.errors import ConfigError, DataError
from sdpose.evaluation import VisibilityAUC
from sdpose.evaluation import visibility_auc as module


def sample(visibility: list[float], flags: list[int], **changes: Any) -> dict[str, Any]:
    joints = [value for flag in flags for value in (1.0, 1.0, flag)]
    found = dict(keypoint_visibility=np.float32([visibility]))
    return {**dict(id=3, pred_instances=found, raw_ann_info=dict(keypoints=joints)), **changes}


def test_the_area_by_hand() -> None:
    # Pairs of seen and hidden: 0.9 beats 0.5 and 0.2; 0.5 ties with 0.5 and beats 0.2; 0.1 loses twice: 3.5 of 6.
    high, low = np.array([0.9, 0.5, 0.1]), np.array([0.5, 0.2])
    assert module.area(high, low) == pytest.approx(3.5 / 6)
    assert module.area(low, high) == pytest.approx(1 - 3.5 / 6)
    assert module.area(np.ones(3), np.ones(4)) == 0.5
    assert np.isnan(module.area(np.array([0.9, np.nan]), low))
    rng = np.random.default_rng(0)
    high, low = rng.integers(0, 9, 40) / 8, rng.integers(0, 7, 30) / 8
    pairs = np.sign(high[:, None] - low)
    assert module.area(high, low) == pytest.approx((pairs + 1).mean() / 2)


def test_of_all_samples_together() -> None:
    metric = VisibilityAUC()
    metric.process(None, [sample([0.9, 0.5, 0.0], [2, 1, 0])])
    metric.process(None, [sample([0.5, 0.1, 0.2], [2, 2, 1])])
    assert metric.evaluate(2) == {'visibility/AUC': pytest.approx(3.5 / 6)}


def test_without_hidden_joints_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(module, 'print_log', lambda text, *args: said.append(text))
    metric = VisibilityAUC()
    metric.process(None, [sample([0.9, 0.5], [2, 2])])
    assert metric.evaluate(1) == {}
    assert said == ['VisibilityAUC: 2 joints of the data can be seen and 0 are hidden, so there is no area']


@pytest.mark.parametrize(
    'changes, error, said',
    [
        (dict(pred_instances={}), ConfigError, 'the model predicts no visibility, model.head.visibility turns it on'),
        (dict(raw_ann_info=None), ConfigError, r'test with annotated boxes \(--gt-bbox\)'),
        (dict(raw_ann_info=dict(keypoints=[1, 1, 2])), DataError, 'has flags for 1 joints, the model predicts 2'),
    ],
)
def test_what_cannot_be_compared(changes: dict[str, Any], error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        VisibilityAUC().process(None, [sample([0.5, 0.5], [2, 1], **changes)])
