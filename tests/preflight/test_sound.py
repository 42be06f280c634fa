"""Arrays know which entries the rules of single ones may mind, and data sets on arrays get the same words as others."""

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
from sdpose.preflight.sound import are_images_sound, doubtful


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
    by_arrays = []
    original = coco.read_as_arrays
    monkeypatch.setattr(
        coco, 'read_as_arrays', lambda *given: (by_arrays.append(original(*given) is not None), original(*given))[1]
    )
    on_arrays = [outcome('ArrayCocoDataset', change) for _, change, _ in files]
    assert 0 < sum(by_arrays) < len(by_arrays)
    monkeypatch.setattr(coco, 'open_store', lambda file: None)
    one_by_one = [outcome('CocoDataset', change) for _, change, _ in files]
    for (name, _, _), (found, said), expected in zip(files, on_arrays, one_by_one):
        assert (found, said.replace('ArrayCocoDataset', 'CocoDataset')) == expected, name


def test_entries_that_may_be_at_fault_are_known(tmp_path: Path) -> None:
    forms.crowd(tmp_path, 14)
    file = tmp_path / 'ann.json'
    content = json.loads(file.read_text())

    def doubted(*lacking: str, **changes: Any) -> list[int]:
        people = [dict(ann) for ann in content['annotations']]
        people[1] = {key: value for key, value in {**people[1], **changes}.items() if key not in lacking}
        file.write_text(json.dumps(dict(content, annotations=people)))
        store = open_store(file)
        assert store is not None and are_images_sound(store, crowd=True)
        return doubtful(store, 14)

    assert doubted() == doubted('keypoints', 'bbox') == doubted(bbox=[900, 0, -5, 0], num_keypoints=0) == []
    assert doubted('bbox') == doubted(image_id=99) == doubted(bbox=[1, 2, 1e25, 3]) == [1]
    assert doubted(keypoints=[-1e26, 1, 2] * 14) == doubted(keypoints=[]) == [1]
    assert doubted(keypoints=[], num_keypoints=0) == doubted(keypoints=[], iscrowd=1) == []


def test_images_that_may_be_at_fault_are_known(tmp_path: Path) -> None:
    forms.crowd(tmp_path, 14)
    file = tmp_path / 'ann.json'
    content = json.loads(file.read_text())

    def sound(crowd: bool = True, **changes: Any) -> bool:
        images = [dict(content['images'][0], **changes), *content['images'][1:]]
        file.write_text(json.dumps(dict(content, images=images)))
        store = open_store(file)
        assert store is not None
        return are_images_sound(store, crowd)

    assert sound() and sound(crowdIndex=-1, crowd=False) and not sound(crowdIndex=-1)
    assert not any((sound(file_name=''), sound(width=0), sound(height=-3), sound(id=2)))
