"""The data checker: what the data sets of a config lack, on the terminal and as a page, and a repaired copy."""

from .check import check_data

__all__ = ['check_data']
