"""Writing a repaired copy of the annotation file of a data check."""

import json
import os
from pathlib import Path

from sdpose.config.joint_names import joint_names
from sdpose.errors import UserError
from sdpose.io.atomic import atomic_write
from sdpose.preflight.annotation_file import read_content, require_lists
from sdpose.preflight.in_depth import Inspection

from .repair import repair


def write_repaired(inspection: Inspection, out: Path) -> list[str]:
    """Write a copy in which everything with one right answer is repaired.

    Args:
        inspection: Of the splits that were asked for, which must read one annotation file of COCO's form.
        out: The copy.

    Returns:
        What was changed, line by line.

    Raises:
        UserError: If there are several files, or another form, or ``out`` is the file itself.
        DataError: If the file is no JSON, or has not COCO's lists.
    """
    reports = {(report.file, report.folder): report for report in inspection.sets}
    if len(reports) > 1:
        files = ', '.join(report.file for report in reports.values())
        raise UserError(f'--fix writes one file, but {len(reports)} are read ({files}): name one by --split')
    ((file, folder), report) = next(iter(reports.items()))
    if report.form != 'coco' or not report.metainfo:
        raise UserError(f'--fix repairs annotation files in the form of COCO, and {file} is none')
    if os.path.realpath(file) == os.path.realpath(out):
        raise UserError(f'--fix {out} is the annotation file itself: name another file')
    content = read_content(file)
    require_lists(file, content)
    repaired, done = repair(content, folder, joint_names(report.metainfo), report.turns)
    with atomic_write(out, 'w') as stream:
        json.dump(repaired, stream)
    changes = [f'  {what}: {count:,}' for what, count in done.most_common()]
    return [
        f'{out}: {file} with these changes:' if changes else f'{out}: a copy of {file}, nothing to repair',
        *changes,
    ]
