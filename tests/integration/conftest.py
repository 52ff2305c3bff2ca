"""What the tests of several folders open pages with."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from testing import browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser. It goes with its module: while Playwright runs, `asyncio.run` cannot be called in this process."""
    with browser.running() as made:
        yield made
