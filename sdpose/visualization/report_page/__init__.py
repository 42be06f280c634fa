"""The page of a report: one HTML file with its charts, pictures and style inside, and no script."""

from .charts import Interval, Line, histogram, interval_chart, line_chart
from .coco_charts import coco_charts
from .folder import PAGE, write_page
from .page import render_page
from .pictures import Picture, address, draw_panels, say_faults

__all__ = [
    'PAGE',
    'Interval',
    'Line',
    'Picture',
    'address',
    'coco_charts',
    'draw_panels',
    'histogram',
    'interval_chart',
    'line_chart',
    'render_page',
    'say_faults',
    'write_page',
]
