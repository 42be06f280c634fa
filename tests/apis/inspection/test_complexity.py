"""A score against the size of models: the metafiles' numbers, measured ones apart from quoted ones."""

from pathlib import Path

import pytest

from sdpose.apis.inspection.complexity import accuracy_against_complexity
from sdpose.config import metafiles
from sdpose.errors import UserError

_METAFILE = """
Models:
  - Name: a-s_stem_coco
    In Collection: A
    Metadata: {Parameters: 2000000, FLOPs: 1500000000}
    Results:
      - {Dataset: COCO, Metrics: {'AP (paper: authors)': 70.5, AP test-dev (paper): 69.0, AP: 71.25}}
  - Name: a-b_res_coco
    In Collection: A
    Metadata: {Parameters: 4000000, FLOPs: 2500000000}
    Results:
      - {Dataset: COCO, Metrics: {'AP (paper: retrained)': 72.5, 'AP (paper: authors)': 73.5}}
  - Name: a-x_res_coco
    In Collection: A
    Metadata: {Parameters: 4000000, FLOPs: 2500000000}
"""


def test_points_are_the_metafiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a/metafile.yml').write_text(_METAFILE)
    monkeypatch.setattr(metafiles, 'config_dir', lambda: tmp_path)
    found = accuracy_against_complexity()
    assert [(row['model'], row['value'], row['source']) for row in found.table] == [
        ('a-s_stem_coco', 71.25, 'measured'),  # in place of the quoted one
        ('a-b_res_coco', 72.5, 'paper: retrained'),
    ]
    assert found.arrays['measured'].tolist() == [True, False]
    assert found.arrays['params'].tolist() == [2000000, 4000000]
    panel, other = found.figure.axes
    assert panel.lines[0].get_xdata().tolist() == [2.0] and panel.lines[1].get_ydata().tolist() == [72.5]
    assert other.lines[0].get_xdata().tolist() == [1.5]
    faces = [line.get_markerfacecolor() for line in panel.lines]
    assert faces[0] == panel.lines[0].get_color() and faces[1] == 'white'  # measured, quoted
    assert [text.get_text() for text in panel.texts] == ['a-s', 'a-b']


def test_the_papers_numbers_are_quoted() -> None:
    found = accuracy_against_complexity()
    rows = {row['model']: row for row in found.table}
    own = rows['sdpose-s-v1_stemnet_8xb64-300e_coco-256x192']
    assert (own['value'], own['params'], own['source']) == (72.3, 6620736, 'paper')
    assert len(rows) >= 20 and all('coco' in name for name in rows)
    assert {row['source'] for row in rows.values()}.isdisjoint({'measured'})  # nothing was trained to the end
    with pytest.raises(UserError, match=r'^no metafile has a result for COCO PCK: choose one of .*COCO AP, '):
        accuracy_against_complexity(metric='PCK')
