"""A report on an evaluation: one page that tells why it gives its number."""

from .make import TestReport, check_report, make_report

__all__ = ['TestReport', 'check_report', 'make_report']
