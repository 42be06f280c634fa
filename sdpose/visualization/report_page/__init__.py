"""The page of a report: one HTML file with its charts, pictures and style inside, and no script."""

from .page import render_page

__all__ = ['render_page']
