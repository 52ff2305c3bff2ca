"""The stand-in's page in a browser, through the edge: its web socket, and the cookie that leads back to a replica.

They come before the tests of this folder that take the stack down.
"""

import pytest
from playwright.sync_api import Browser, Page, expect

from testing.browser import page
from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]


def origin(stock: Project) -> dict[str, dict[str, str]]:
    """Return what makes the page open: a browser sends no origin with it, and without one the answer is a 500."""
    return {"extra_http_headers": {"Origin": stock.url}}


def replicas(stock: Project) -> set[str]:
    return {str(each.attrs["Config"]["Hostname"]) for each in stock.containers("friday")}


def visited(opened: Page, stock: Project) -> str:
    """Open the start page; return which replica has answered on its web socket."""
    opened.goto(stock.url)
    return first_word(opened, "hello")


def first_word(opened: Page, said: str) -> str:
    """Return the name before an answer on the page's web socket, which the replica puts there."""
    line = opened.get_by_role("listitem").filter(has_text=said).last
    expect(line).to_be_visible(timeout=30_000)
    return line.inner_text().partition(" ")[0]


def test_a_page_talks_over_its_web_socket_and_comes_back_to_its_replica(stock: Project, chromium: Browser) -> None:
    with page(chromium, **origin(stock)) as opened:
        home = visited(opened, stock)
        opened.evaluate("say('how are you?')")
        assert first_word(opened, "how are you?") == home
        name = stock.settings["edge"]["stickyCookie"]
        (cookie,) = [each for each in opened.context.cookies() if each["name"] == name]
        assert (cookie["httpOnly"], cookie["secure"], cookie["expires"]) == (True, False, -1)
        assert name not in opened.evaluate("document.cookie")
        assert {visited(opened, stock) for _ in range(4)} == {home}
    seen = {home}
    for _ in range(9):  # others come to the other one too
        with page(chromium, **origin(stock)) as opened:
            seen.add(visited(opened, stock))
    assert seen == replicas(stock)


def test_a_page_asks_with_the_token_of_its_cookie(stock: Project, chromium: Browser) -> None:
    ask = """async () => {
        document.cookie = "app_session_id=7; Path=/";
        const token = document.cookie.match(/__csrf_token=(\\w+)/)[1];
        const headers = { "X-CSRF-Token": token, "Content-Type": "application/json" };
        const body = JSON.stringify({ json: { content: "hello" } });
        const answer = await fetch("/api/trpc/chat.sendMessage", { method: "POST", headers, body });
        return [answer.status, answer.headers.get("X-Stock-Path")];
    }"""
    with page(chromium, **origin(stock)) as opened:
        opened.goto(stock.url)
        assert opened.evaluate(ask) == [200, "gateway"]


def test_a_change_closes_the_web_socket_once_and_the_page_comes_back(stock: Project, chromium: Browser) -> None:
    with page(chromium, **origin(stock)) as opened:
        home = visited(opened, stock)
        before = replicas(stock)
        stock.configure({"rolloutPercentage": 60})
        stock.fridayctl("up", stock.stack)
        lines = opened.get_by_role("listitem")
        expect(lines).to_have_count(3)
        assert lines.all_inner_texts()[:2] == [f"{home} hello", "closed 1006"]  # the edge ends it, not the app
        now = first_word(opened, "hello")
        assert home in before
        assert now in replicas(stock)
        assert now not in before
        assert visited(opened, stock) == now
