"""A data check as text for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from sdpose.preflight.in_depth import Finding, Inspection, SetReport

_BAR = 24  # characters of the longest bar


def describe(inspection: Inspection) -> Iterator[str]:
    """The page, line by line: each data set with its findings, its counts, and what is wrong between them."""
    for report in inspection.sets:
        yield f'{report.name}: {report.file} ({report.kind})'
        yield from (f'  {line}' for line in facts(report))
        yield from (f'  {line}' for line in _joints(report.numbers))
        yield from _findings(report.findings)
        yield ''
    if inspection.between:
        yield 'between the data sets'
        yield from _findings(inspection.between)
        yield ''
    warnings = len(inspection.findings) - inspection.errors
    yield f'{_count(inspection.errors, "error")}, {_count(warnings, "warning")}'


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    for each in sorted(findings, key=lambda found: found.level):
        yield f'  {each.level}: {each.text}'


def _count(number: int, what: str) -> str:
    return f'{number} {what}{"" if number == 1 else "s"}'


def facts(report: SetReport) -> list[str]:
    """The counts and distributions of a data set, but for those of its joints, in lines."""
    numbers, lines = report.numbers, []
    if 'classes' in numbers:
        least, _, middle, _, most = numbers['per_class']
        lines.append(
            f'{numbers["images"]:,} pictures of {numbers["classes"]} classes: {least:g} ({numbers["fewest"]}) to '
            f'{most:g} ({numbers["most"]}), the median is {middle:g}'
        )
    else:
        lines += _people_facts(numbers)
    if 'widths' in numbers:
        (narrow, *_, wide), (low, *_, high) = numbers['widths'], numbers['heights']
        lines.append(f'pictures are {narrow:g} to {wide:g} pixels wide, {low:g} to {high:g} high')
    return lines


def _people_facts(numbers: dict[str, Any]) -> list[str]:
    lines = []
    pictures = f'{numbers["images"]:,} pictures' if 'images' in numbers else ''
    with_people = (
        f', {numbers["images_with_people"]:,} of them with labelled people' if 'images_with_people' in numbers else ''
    )
    listed = f'{numbers["annotations"]:,} annotations' if 'annotations' in numbers else ''
    crowds = f', {numbers["crowds"]:,} of them crowds' if numbers.get('crowds') else ''
    if pictures or listed:
        lines.append('; '.join(part for part in (pictures + with_people, listed + crowds) if part))
    if numbers.get('people'):
        each = numbers['per_picture']
        lines.append(
            f'{numbers["people"]:,} people, {numbers["without_joints"]:,} of them without a labelled joint; on a '
            f'picture {each[0]:g} to {each[-1]:g}, in the median {each[2]:g}'
        )
        least, tenth, middle, ninth, most = numbers['box_heights']
        small, medium, large = (f'{100 * share:.0f} %' for share in numbers['areas'])
        lines.append(
            f'boxes are {least:g} to {most:g} pixels high, the median is {middle:g}, eight of ten are {tenth:g} to '
            f'{ninth:g}; small (up to 32 x 32) {small}, medium (up to 96 x 96) {medium}, large {large}'
        )
    return lines


def _joints(numbers: dict[str, Any]) -> Iterator[str]:
    """How many joints are labelled, and which."""
    if not numbers.get('people'):
        return
    counts = numbers['labelled']
    yield 'labelled joints of a person: ' + ', '.join(f'{k} in {count:,}' for k, count in enumerate(counts) if count)
    width = max(len(joint['name']) for joint in numbers['joints'])
    for joint in numbers['joints']:
        bar = '#' * round(_BAR * joint['labelled'])
        seen = '' if joint['visible'] is None else f', visible in {100 * joint["visible"]:3.0f} % of these'
        yield f'{joint["name"]:{width}} {bar:{_BAR}} labelled in {100 * joint["labelled"]:3.0f} %{seen}'
