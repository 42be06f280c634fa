"""The page of a report: one HTML file with its charts, pictures and style inside, and no script."""

from .charts import Interval, Line, histogram, interval_chart, line_chart
from .coco_charts import coco_charts
from .page import render_page

__all__ = ['Interval', 'Line', 'coco_charts', 'histogram', 'interval_chart', 'line_chart', 'render_page']
