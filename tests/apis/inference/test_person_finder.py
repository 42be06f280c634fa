"""The person finder beside a stand-in for its model: geometry, parts of a picture, duplicates; what is missing."""

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mediapipe_wheel import make_wheel

from sdpose.apis.inference.detectors import build_detector
from sdpose.apis.inference.person_finder import _anchor_centers, _around, _parts, _share
from sdpose.errors import UserError

FILE = 'mediapipe/modules/pose_detection/pose_detection.tflite'


class Interpreter:
    """Finds whoever is painted: hips where the picture is pure red, with the circle's rim 40 pixels above."""

    inputs: list[np.ndarray] = []

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        if model_content != b'model':
            raise ValueError('Model provided has model identifier')

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [dict(index=0, shape=(1, 224, 224, 3))]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [dict(index=1, shape=(1, 2254, 12)), dict(index=2, shape=(1, 2254, 1))]

    def set_tensor(self, index: int, image: np.ndarray) -> None:
        assert index == 0 and image.shape == (1, 224, 224, 3) and image.dtype == np.float32
        self.inputs.append(image)
        anchors = _anchor_centers()
        self.points, self.scores = np.zeros((1, 2254, 12), np.float32), np.full((1, 2254, 1), -9, np.float32)
        red = (image[0, ..., 0] > 0.9) & (image[0, ..., 1] < -0.9)
        if red.any():
            y, x = (places.mean() for places in np.nonzero(red))
            cell = int(np.hypot(*(anchors - (x, y)).T).argmin())
            for place, score in ((cell, 3), (cell - 2, 2.5)):  # the second is a duplicate, of a neighbour
                self.points[0, place, 4:8] = *((x, y) - anchors[place]), *((x, y - 40) - anchors[place])
                self.scores[0, place] = score

    def invoke(self) -> None:
        pass

    def get_tensor(self, index: int) -> np.ndarray:
        return (self.points, self.scores)[index - 1]


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that holds the file; the package that runs it is stood in for."""
    monkeypatch.setattr(Interpreter, 'inputs', [])
    return make_wheel(tmp_path, FILE, Interpreter, monkeypatch)


def test_anchors_are_those_of_the_model() -> None:
    """28 x 28 cells of two, 14 x 14 of two, 7 x 7 of six, row by row."""
    anchors = _anchor_centers()
    assert anchors.shape == (2254, 2)
    assert anchors[[0, 1, 2, 56, 1568, 1960, -1]].tolist() == [
        *([4, 4], [4, 4], [12, 4], [4, 12], [8, 8], [16, 16], [208, 208])
    ]


def test_boxes_by_hand() -> None:
    """As high as the circle and three quarters as wide; of somebody who lies, the reverse."""
    hips, rim = np.float32([[100, 100], [100, 100]]), np.float32([[0, -40], [30, 0]])
    assert np.allclose(_around(hips, rim), [[70, 60, 130, 140], [70, 77.5, 130, 122.5]])
    assert np.allclose(_share(np.float32([0, 0, 10, 10]), np.float32([[5, 0, 30, 30], [20, 0, 30, 9]])), [0.5, 0])
    assert [*_parts((60, 90, 3), 1)] == [(0, 0, 90, 60)]
    assert [*_parts((60, 90, 3), 2)][1:] == [(0, 0, 60, 40), (30, 0, 90, 40), (0, 20, 60, 60), (30, 20, 90, 60)]


def test_a_person_in_pixels_of_the_picture(wheel: Path) -> None:
    """A wide picture is scaled by 224 / 448 and padded above and below; a duplicate goes."""
    image = np.zeros((224, 448, 3), np.uint8)
    image[..., 1] = 255
    image[98:104, 198:204] = (0, 0, 255)  # BGR
    (person,) = build_detector(f'mediapipe={wheel}')(image)
    assert np.allclose(person[:4], [200.5 - 60, 100.5 - 80, 200.5 + 60, 100.5 + 80], atol=2)
    assert person[4] == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-4)
    (square,) = Interpreter.inputs
    assert square.min() == -1 and square.max() == 1 and (square[0, :56] == -1).all() and square[0, 56, 0, 1] == 1


def test_parts_find_the_same_person_once(wheel: Path) -> None:
    """Whole and in four parts, in which the stand-in sees a circle of another size: the best of what overlaps."""
    image = np.zeros((448, 448, 3), np.uint8)
    image[220:228, 220:228] = (0, 0, 255)
    found = build_detector(f'mediapipe:2={wheel}')(image)
    assert len(Interpreter.inputs) == 5 and len(found) == 1
    nobody = build_detector(f'mediapipe={wheel}')(np.zeros((50, 60, 3), np.uint8))
    assert nobody.shape == (0, 5)


def test_what_is_missing(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'other.tflite').write_bytes(b'other')
    with zipfile.ZipFile(tmp_path / 'empty.whl', 'w'):
        pass
    for name, said in (
        (f'mediapipe={tmp_path}/nowhere', 'nowhere cannot be read'),
        (f'mediapipe={tmp_path}/empty.whl', f'empty.whl cannot be read, or holds no {FILE}'),
        (f'mediapipe={tmp_path}/other.tflite', 'other.tflite is no model that can be run'),
        ('mediapipe:0', "no detector is called 'mediapipe:0'"),
        ('mediapipe', f'no installed mediapipe holds {FILE}.*pip download mediapipe==0.10.21'),
    ):
        with pytest.raises(UserError, match=said):
            build_detector(name)
    monkeypatch.delitem(sys.modules, 'ai_edge_litert')
    monkeypatch.setattr('sdpose.apis.inference.mediapipe_model.find_spec', lambda name: None)
    with pytest.raises(UserError, match='needs the package ai-edge-litert: pip install ai-edge-litert'):
        build_detector(f'mediapipe={wheel}')
