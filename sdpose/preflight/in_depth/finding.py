"""What a check in depth finds, and how rules that raise at the first fault are asked for all of them."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sdpose.errors import ConfigError, DataError

ERROR, WARNING = 'error', 'warning'
_NUMBER = re.compile(r'-?\d+(\.\d+)?(e[-+]?\d+)?', re.IGNORECASE)
_GROUPS = 12  # kinds of faults of one rule that are told apart


class Finding(NamedTuple):
    """Something that is wrong with data, or odd.

    Attributes:
        level: ``'error'``, with which a run fails or learns from something wrong, or ``'warning'``.
        text: One line: where, what, how many, and what to do.
    """

    level: str
    text: str


def warnings(remarks: Iterable[str]) -> list[Finding]:
    """Remarks of the checks before a run, as findings."""
    return [Finding(WARNING, remark) for remark in remarks]


def ask(check: Callable[[], Any]) -> list[Finding]:
    """What one check of those before a run says: its remarks, or the fault with which it would end the run."""
    try:
        return warnings(check() or [])
    except (DataError, ConfigError) as error:
        return [Finding(ERROR, str(error))]


def sift(
    entries: Sequence[Any], check: Callable[[list[Any]], Any], what: str, file: object
) -> tuple[list[Any], list[Finding]]:
    """Ask a check that raises at the first fault about every entry.

    Args:
        entries: What it looks at.
        check: It raises a DataError about a list of entries if one of them is at fault.
        what: What they are, for messages: ``'annotations'``.
        file: Where they stand, with which messages of the check begin.

    Returns:
        The entries without fault, and a finding for each kind of fault: its count and its first message.
    """
    try:
        check(list(entries))
        return list(entries), []
    except DataError:
        pass
    kept, faults = [], []
    for entry in entries:
        try:
            check([entry])
            kept.append(entry)
        except DataError as error:
            faults.append(str(error))
    return kept, grouped(faults, len(entries), what, file)


def grouped(faults: Sequence[str], total: int, what: str, file: object) -> list[Finding]:
    """A finding for each kind of fault, messages that differ by numbers alone being of one kind."""
    groups: dict[str, list[str]] = {}
    for fault in faults:
        groups.setdefault(_NUMBER.sub('#', fault.removeprefix(f'{file}: ')), []).append(fault)
    shown = list(groups.values())[:_GROUPS]
    findings = [Finding(ERROR, _counted(group, total, what, file)) for group in shown]
    rest = len(faults) - sum(map(len, shown))
    return findings + ([Finding(ERROR, f'{file}: {rest} more {what} have other faults')] if rest else [])


def _counted(group: Sequence[str], total: int, what: str, file: object) -> str:
    if len(group) == 1:
        return group[0]
    return f'{file}: {len(group)} of {total} {what} are at fault, such as {group[0].removeprefix(f"{file}: ")}'
