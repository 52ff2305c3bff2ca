"""`fridayctl dashboard` on a stack that serves: what a browser shows of it, and how the command ends."""

import os
import signal
import subprocess

import pytest
from playwright.sync_api import Browser, expect

from testing import browser
from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]


def address(dashboard: subprocess.Popen[str]) -> str:
    """Return where the page is, once the command says so; what it said instead is the failure."""
    assert dashboard.stdout
    said = list[str]()
    for line in dashboard.stdout:
        said.append(line)
        if line.startswith("dashboard"):
            return line.split()[1]
    pytest.fail("".join(said))


def test_a_browser_shows_the_stack_and_ctrl_c_ends_the_command(project: Project, chromium: Browser) -> None:
    dashboard = project.start("dashboard", project.stack, "--port", "0", "--open", "no")
    try:
        url = address(dashboard)
        with browser.page(chromium) as opened:
            said, asked = list[str](), set[str]()
            opened.on("console", lambda message: said.append(message.text))
            opened.on("request", lambda request: asked.add(request.url))
            opened.goto(url)
            expect(opened.get_by_role("banner")).to_contain_text(project.stack)
            percentage = project.settings["rolloutPercentage"]
            expect(opened.get_by_role("main")).to_contain_text(f"{percentage} % of users")
            expect(opened.get_by_role("row").filter(has_text="cost").first).to_be_attached()
            with opened.expect_response(url, timeout=120_000):  # the page asks by itself
                pass
            assert said == []
            assert {each for each in asked if not each.startswith("data:")} == {url}
        os.killpg(dashboard.pid, signal.SIGINT)
        rest, _ = dashboard.communicate(timeout=60)
        assert (dashboard.returncode, rest) == (0, "")
    finally:
        if dashboard.poll() is None:
            os.killpg(dashboard.pid, signal.SIGKILL)
            dashboard.wait()
