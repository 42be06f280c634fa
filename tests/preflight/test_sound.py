"""What arrays let pass is what the checks of single entries have nothing to say of, and every message is theirs."""

import json
import signal
from pathlib import Path
from typing import Any

import annotations
import data_set_forms as forms
import pytest
from mmengine.registry import init_default_scope

from sdpose.io.annotation_store import open_store
from sdpose.preflight import coco, datasets
from sdpose.preflight.sound import is_evaluated_soundly, is_sound


@pytest.fixture
def outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """How the checks of a data set end that has a class and a changed text, and what they say."""
    init_default_scope('mmpose')
    monkeypatch.setattr(datasets, 'print_log', datasets.print_log)  # which the campaign replaces
    monkeypatch.setattr(signal, 'alarm', lambda seconds: None)
    dataset = dict(data_root=str(tmp_path), **forms.coco(tmp_path, 17))
    file = tmp_path / 'ann.json'
    text = file.read_text()

    def outcome(kind: str, change: Any) -> tuple[str, str]:
        file.write_bytes(change(text))
        return annotations.outcome(dict(dataset, type=kind), file)

    return outcome


@pytest.mark.parametrize('step', [8, pytest.param(1, marks=pytest.mark.long)])
def test_arrays_and_single_entries_lead_to_the_same_words(
    outcome: Any, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = list(annotations.files(0))[::step]
    asked = []
    original = coco.is_sound
    monkeypatch.setattr(coco, 'is_sound', lambda *given: (asked.append(original(*given)), asked[-1])[1])
    on_arrays = [outcome('ArrayCocoDataset', change) for _, change, _ in files]
    assert 0 < sum(asked) < len(asked)
    monkeypatch.setattr(coco, 'open_store', lambda file: None)
    one_by_one = [outcome('CocoDataset', change) for _, change, _ in files]
    for (name, _, _), (found, said), expected in zip(files, on_arrays, one_by_one):
        assert (found, said.replace('ArrayCocoDataset', 'CocoDataset')) == expected, name


def test_a_sound_file_is_known_and_what_an_evaluation_needs(tmp_path: Path) -> None:
    forms.crowd(tmp_path, 14)
    file = tmp_path / 'ann.json'
    content = json.loads(file.read_text())

    def sound(use_area: bool = True, crowd: bool = True, **changes: Any) -> tuple[bool, bool]:
        people = [{**ann, 'area': 2000, **changes} for ann in content['annotations']]
        file.write_text(json.dumps(dict(content, annotations=people)))
        store = open_store(file)
        assert store is not None
        return is_sound(store, 14), is_evaluated_soundly(store, use_area, crowd)

    assert sound() == (True, True)
    assert sound(area=0.5) == (True, False) and sound(area=0.5, use_area=False) == (True, True)
    assert sound(area=1e6) == sound(category_id=8) == (True, False)
    assert sound(num_keypoints=-1) == (True, False) and sound(num_keypoints=-1, crowd=False) == (True, True)
    assert sound(bbox=[1, 2, 0, 4])[0] is sound(image_id=99)[0] is sound(keypoints=[1e30, 1, 2] * 14)[0] is False
