"""The folder of a page: the page, and its numbers as JSON."""

import json
from pathlib import Path
from typing import Any

from sdpose.io.atomic import atomic_write

PAGE, NUMBERS = 'index.html', 'report.json'


def write_page(out: Path, report: dict[str, Any], page: str) -> None:
    """Write the numbers of a report, then its page."""
    for name, content in ((NUMBERS, json.dumps(report, indent=1, allow_nan=False)), (PAGE, page)):
        with atomic_write(out / name, 'w', encoding='utf-8') as file:
            file.write(content)
