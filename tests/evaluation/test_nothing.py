"""Metrics that got no predictions say so, and none is a NaN or a traceback."""

from typing import Any

import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import METRICS

import sdpose  # noqa: F401
from sdpose.errors import DataError


@pytest.mark.parametrize(
    'metric',
    [
        dict(type='VisibilityAUC'),
        dict(type='TopKAccuracy'),
        dict(type='MpiiMetric'),
        dict(type='MpiiMetric', format_only=True, outfile_prefix='nothing'),
    ],
    ids=lambda metric: '_'.join(map(str, metric.values())),
)
def test_nothing_is_evaluated(metric: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    init_default_scope('mmpose')
    with pytest.raises(DataError, match='there is nothing to evaluate: no sample was predicted'):
        METRICS.build(metric).evaluate(3)
    assert not list(tmp_path.iterdir())
