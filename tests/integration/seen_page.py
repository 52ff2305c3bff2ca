"""A page of this project as people open it: on a desk, in the dark, on a phone, on paper."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from ops.commands.dashboard import listening, url
from testing import browser
from testing.served import served

DESK = {"viewport": {"width": 1280, "height": 900}}
VIEWS: dict[str, dict[str, Any]] = {
    "light": DESK | {"color_scheme": "light"},
    "dark": DESK | {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True},
    "print": {"viewport": {"width": 720, "height": 1000}},
}


@contextmanager
def served_page(make: Callable[[], str]) -> Iterator[str]:
    """Serve what `make` returns; give the address."""
    with listening(make, 0) as server, served(server):
        yield url(server)


@contextmanager
def seen(chromium: Browser, make: Callable[[], str], view: str = "light") -> Iterator[Page]:
    """Open a page; at its end nothing may have been complained about, and nothing asked but the page itself."""
    with served_page(make) as address, browser.page(chromium, **VIEWS[view]) as opened:
        said, asked = list[str](), set[str]()
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("request", lambda request: asked.add(request.url))
        if view == "print":
            opened.emulate_media(media="print")
        opened.goto(address)
        yield opened
        assert said == []
        assert {each for each in asked if not each.startswith("data:")} == {address}


def barriers(opened: Page, axe: str) -> list[tuple[str, list[str]]]:
    """Return what axe-core finds that keeps people out: its rule, and the places."""
    opened.evaluate(axe)
    found = opened.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    worst = [each for each in found if each["impact"] in ("serious", "critical")]
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in worst]
