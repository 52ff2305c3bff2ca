"""What the tests of several folders open pages with."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from testing import browser, clients


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser. It goes with its module: while Playwright runs, `asyncio.run` cannot be called in this process."""
    with browser.running() as made:
        yield made


@pytest.fixture(scope="module")
def axe() -> str:
    """Return axe-core's script. It is evaluated from outside: a page's own policy stays as it is."""
    _, folder = clients.packages(clients.PAGE)
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
