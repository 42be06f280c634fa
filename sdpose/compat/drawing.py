"""Drawing key points beside NumPy 2.4, and windows of an OpenCV without fonts."""

import os
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
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


def give_windows_fonts() -> None:
    """Name Matplotlib's fonts to OpenCV's windows, if the folder that OpenCV names is missing.

    Seen: opencv-python 5.0 sets ``QT_QPA_FONTDIR`` to a folder that it does not have; each window then prints several
    lines about it, and its status bar stays empty.
    """
    import_module('cv2')  # sets it
    if not Path(os.environ.get('QT_QPA_FONTDIR', '')).is_dir():
        fonts = Path(import_module('matplotlib').get_data_path(), 'fonts', 'ttf')
        os.environ['QT_QPA_FONTDIR'] = str(fonts)


def _with_scalar_radius(draw: Callable) -> Callable:

    @wraps(draw)
    def draw_circles(self: Any, center: Any, radius: Any, *args: Any, **kwargs: Any) -> Any:
        if self.backend == 'opencv':
            radius = np.asarray(radius).item()
        return draw(self, center, radius, *args, **kwargs)

    return draw_circles
