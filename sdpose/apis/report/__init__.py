"""A report on an evaluation: one page that tells why it gives its number."""

from .make import make_report
from .of_test import TestReport, check_report, plan_report

__all__ = ['TestReport', 'check_report', 'make_report', 'plan_report']
