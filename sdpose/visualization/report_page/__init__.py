"""The page of a report: one HTML file with its charts, pictures and style inside, and no script."""

from .charts import Line, histogram, line_chart
from .coco_charts import coco_charts
from .page import render_page

__all__ = ['Line', 'coco_charts', 'histogram', 'line_chart', 'render_page']
