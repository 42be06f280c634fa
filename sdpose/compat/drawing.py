"""Drawing key points beside NumPy 2.4."""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np

_MARK = '_sdpose_compat'


def draw_with_scalar_radius() -> None:
    """Hand the radius of a drawn joint on as a number.

    Seen: MMPose 1.3.2 passes it as an array of one element and converts it with ``int()``, which NumPy 2.4 refuses:
    ``--show-dir`` ends with ``TypeError: only 0-dimensional arrays can be converted to Python scalars``. Matplotlib,
    the other backend, takes an array.
    """
    # MMPose can be imported only once the other solutions are applied.
    visualizer = import_module('mmpose.visualization.opencv_backend_visualizer').OpencvBackendVisualizer
    if hasattr(visualizer, _MARK):
        return
    visualizer.draw_circles = _with_scalar_radius(visualizer.draw_circles)
    setattr(visualizer, _MARK, True)


def _with_scalar_radius(draw: Callable) -> Callable:

    @wraps(draw)
    def draw_circles(self: Any, center: Any, radius: Any, *args: Any, **kwargs: Any) -> Any:
        if self.backend == 'opencv':
            radius = np.asarray(radius).item()
        return draw(self, center, radius, *args, **kwargs)

    return draw_circles
