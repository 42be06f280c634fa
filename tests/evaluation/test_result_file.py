"""The result file has the name that was asked for, or nothing is written."""

from pathlib import Path

import pytest

import sdpose  # noqa: F401
from sdpose.errors import UserError
from sdpose.evaluation import ResultFile


def test_the_metrics_file_is_renamed_and_nothing_else_is_left(tmp_path: Path) -> None:
    evaluators = [dict(type='DumpResults'), dict(type='CocoMetric')]
    file = ResultFile(tmp_path / 'new/out.json')
    file.attach(evaluators)
    Path(f'{evaluators[1]["outfile_prefix"]}.keypoints.json').write_text('[]')
    assert file.finish() == tmp_path / 'new/out.json'
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['out.json']


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='must end in .json'):
        ResultFile('out.txt')
    (tmp_path / 'd.json').mkdir()
    with pytest.raises(UserError, match='that is a folder'):
        ResultFile(tmp_path / 'd.json')
    with pytest.raises(UserError, match=r"exactly one CocoMetric or MpiiMetric in .* found 0 in \['PCKAccuracy'\]"):
        ResultFile(tmp_path / 'a.json').attach([dict(type='PCKAccuracy')])
