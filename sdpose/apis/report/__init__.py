"""A report on an evaluation: one page that tells why it gives its number."""

from .make import make_report

__all__ = ['make_report']
