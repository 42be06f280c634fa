"""A real browser without a window, for the tests of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')


@contextmanager
def open_browser() -> Iterator[Any]:
    """Playwright's ``Browser``, of the Chromium or Chrome that the machine has (``run_tests.sh --all`` installs one).

    A test is skipped where there is none.
    """
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(f'no browser: none of {", ".join(_NAMES)} is on PATH; as root, run_tests.sh --all installs one')
    sync_api = pytest.importorskip('playwright.sync_api', reason='playwright (requirements/tests.txt) is not installed')
    with sync_api.sync_playwright() as playwright:
        as_root = ['--no-sandbox'] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=found, args=as_root)
        yield browser
        browser.close()
