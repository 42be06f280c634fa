"""The teacher beside a stand-in for its model, which sees colours: squares, their way back, doubles."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mediapipe_wheel import make_wheel

from sdpose.apis.pseudo_labels import BlazePose
from sdpose.apis.pseudo_labels.blaze_pose import FILE, _square
from sdpose.errors import UserError


class Interpreter:
    """Takes red for the middle of the hips, green for the rim of the circle, blue for the nose."""

    crops: list[np.ndarray] = []

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        self.outputs = [(1, 195), (1, 1)] if model_content == b'model' else [(1, 7)]

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [dict(index=0)]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [dict(index=number + 1, shape=shape) for number, shape in enumerate(self.outputs)]

    def set_tensor(self, index: int, image: np.ndarray) -> None:
        assert index == 0 and image.shape == (1, 256, 256, 3) and image.dtype == np.float32 and image.max() <= 1
        self.points = np.zeros((39, 5), np.float32)
        self.seen = 1.0
        self.crops.append(image[0])
        for place, channel in ((33, 0), (34, 1), (0, 2)):  # RGB
            y, x = np.nonzero(image[0, ..., channel] > 0.5)
            self.seen = min(self.seen, float(len(x) > 0))
            self.points[place] = (*((x.mean(), y.mean()) if len(x) else (0, 0)), 0, 2, -2)

    def invoke(self) -> None:
        pass

    def get_tensor(self, index: int) -> np.ndarray:
        return self.points.reshape(1, 195) if index == 1 else np.array([[self.seen]], np.float32)


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Interpreter, 'crops', [])
    return make_wheel(tmp_path, FILE, Interpreter, monkeypatch)


def _picture(hips: tuple[int, int], rim: tuple[int, int], nose: tuple[int, int]) -> np.ndarray:
    image = np.zeros((300, 400, 3), np.uint8)
    for (x, y), channel in ((hips, 2), (rim, 1), (nose, 0)):
        image[y - 3 : y + 4, x - 3 : x + 4, channel] = 255
    return image


@pytest.mark.parametrize('way', [(0, -1), (1, 0), (-1, 0), (0.6, -0.8), (0.6, 0.8)])
def test_a_person_in_any_direction(wheel: Path, way: tuple[float, float]) -> None:
    """The second look has the hips in the middle and the rim straight above; joints come back to their pixels."""
    hips, rim, nose = (200, 150), (int(200 + 60 * way[0]), int(150 + 60 * way[1])), (180, 120)
    (person,) = BlazePose(str(wheel))(_picture(hips, rim, nose), np.array([[150.0, 90, 250, 210]]))
    assert np.abs(person.places[0] - nose).max() < 0.6
    assert person.score == 1 and len(person.places) == 33
    assert np.allclose((person.visible[0], person.there[0]), (1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2))))
    red, green = (np.argwhere(Interpreter.crops[1][..., channel] > 0.5).mean(axis=0)[::-1] for channel in (0, 1))
    assert np.abs(red - 128).max() < 1.5
    assert np.abs(green - (128, 128 - 256 / 2.5)).max() < 3


def test_the_square_by_hand() -> None:
    """A circle of radius 64 around (100, 80): 1.6 pixels of the square for one of the picture; lying, x becomes y."""
    assert np.allclose(_square(np.array([100.0, 80]), np.array([0.0, -64])), [[1.6, 0, -32], [0, 1.6, 0]])
    assert np.allclose(_square(np.array([100.0, 80]), np.array([64.0, 0])), [[0, 1.6, 0], [-1.6, 0, 288]])


def test_two_boxes_of_one_person(wheel: Path) -> None:
    image = _picture((200, 150), (200, 90), (200, 100))
    people = BlazePose(str(wheel))(image, np.array([[150.0, 90, 250, 210], [150.0, 80, 250, 200]]))
    assert len(people) == 1
    assert BlazePose(str(wheel))(image, np.empty((0, 4))) == []


def test_another_model(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / 'other.tflite').write_bytes(b'other')
    with pytest.raises(UserError, match='other.tflite is another model than mediapipe/modules/pose_landmark'):
        BlazePose(str(tmp_path / 'other.tflite'))
    with pytest.raises(UserError, match='nowhere cannot be read.*--teacher mediapipe=mediapipe-0.10.21'):
        BlazePose(str(tmp_path / 'nowhere'))
