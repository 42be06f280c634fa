"""Joints can be drawn beside every NumPy."""

import os
from pathlib import Path

import numpy as np
import pytest

import sdpose  # noqa: F401
from sdpose.compat.drawing import give_windows_fonts


def test_radius_as_an_array_of_one_element_draws_a_filled_circle() -> None:
    from mmpose.visualization import PoseLocalVisualizer

    visualizer = PoseLocalVisualizer(backend='opencv')
    visualizer.set_image(np.zeros((21, 21, 3), np.uint8))
    visualizer.draw_circles(np.array([10.0, 10.0]), radius=np.array([3]), face_colors=(0, 255, 0), alpha=1.0)
    image = visualizer.get_image()
    assert image[10, 13].tolist() == [0, 255, 0]
    assert image[10, 14].tolist() == [0, 0, 0]
    assert 25 <= np.count_nonzero(image[..., 1]) <= 37  # pi * 3^2 = 28.3


def test_windows_get_fonts_where_opencv_names_a_missing_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('QT_QPA_FONTDIR', str(tmp_path / 'missing'))
    give_windows_fonts()
    assert Path(os.environ['QT_QPA_FONTDIR'], 'DejaVuSans.ttf').is_file()
    monkeypatch.setenv('QT_QPA_FONTDIR', str(tmp_path))
    give_windows_fonts()
    assert os.environ['QT_QPA_FONTDIR'] == str(tmp_path)
