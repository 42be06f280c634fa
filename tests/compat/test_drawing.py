"""Joints can be drawn beside every NumPy."""

import numpy as np

import sdpose  # noqa: F401


def test_radius_as_an_array_of_one_element_draws_a_filled_circle() -> None:
    from mmpose.visualization import PoseLocalVisualizer

    visualizer = PoseLocalVisualizer(backend='opencv')
    visualizer.set_image(np.zeros((21, 21, 3), np.uint8))
    visualizer.draw_circles(np.array([10.0, 10.0]), radius=np.array([3]), face_colors=(0, 255, 0), alpha=1.0)
    image = visualizer.get_image()
    assert image[10, 13].tolist() == [0, 255, 0]
    assert image[10, 14].tolist() == [0, 0, 0]
    assert 25 <= np.count_nonzero(image[..., 1]) <= 37  # pi * 3^2 = 28.3
