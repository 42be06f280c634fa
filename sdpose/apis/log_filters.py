"""Messages of the installed stack that a user can do nothing about; the one place where any is silenced."""

import logging
import re
import warnings

# Python warnings: a regular expression for the start of the message, and why it says nothing.
_WARNINGS = {
    r'Use the existing "bbox_center" and "bbox_scale"': 'MPII gives centres and scales instead of boxes',
    r'`torch\.cuda\.amp\.': 'MMEngine 0.10.7 uses names that torch renamed; the behaviour is the same',
    r'Detected call of `lr_scheduler\.step\(\)` before': "torch cannot see a step through MMEngine's optimizer wrapper",
}

# Log records of MMEngine: the same.
_RECORDS = {
    r'The prefix is not set in metric class DumpResults': 'it dumps predictions and has no metric',
    r'results are saved in ': 'the metric names a folder; the file has its own line once it has its name',
    r'"FileClient" will be deprecated': "MMEngine's own checkpoint hook uses it",
    r'"HardDiskBackend" is the alias of': "MMEngine's own checkpoint hook uses it",
}


def silence_warnings() -> None:
    """Hide the known Python warnings in this process and in the data loaders it forks."""
    for message in _WARNINGS:
        warnings.filterwarnings('ignore', message=message)


def silence_records(logger: logging.Logger) -> None:
    """Hide the known log records of a logger."""
    logger.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return not any(re.match(message, str(record.msg)) for message in _RECORDS)
