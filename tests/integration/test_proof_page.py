"""The page of a proof in a real browser: it renders, asks nobody, and people who cannot see a screen can use it."""

import pytest
from playwright.sync_api import Browser, expect

from proof.page import render
from tests.integration.seen_page import VIEWS, barriers, seen
from tests.unit.proof.proofs import MARKUP, Ended, proof

pytestmark = [pytest.mark.engine, pytest.mark.beside]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("ended", Ended)
def test_it_can_be_used_by_everybody(chromium: Browser, axe: str, ended: Ended, view: str) -> None:
    with seen(chromium, lambda: render(proof(ended)), view) as opened:
        expect(opened.get_by_role("heading", level=1)).to_contain_text(proof(ended).headline)
        if view != "print":  # on paper what is folded stays so
            for folded in opened.locator("summary").all():
                folded.click()
        assert barriers(opened, axe) == []
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_text_from_outside_is_text(chromium: Browser) -> None:
    with seen(chromium, lambda: render(proof(Ended.FAILED))) as opened:
        assert opened.locator("main b, main [onclick]").count() == 0
        expect(opened.get_by_text(MARKUP).first).to_be_visible()
