"""A browser without a window in a container, steered from the test's own process by Playwright."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from playwright.sync_api import Browser, Page, sync_playwright

from images import build, tags
from images.tags import Image
from testing.meanwhile import until, until_answered
from testing.ports import free_ports
from toolchain.runner import Report

IMAGE = Image("browser", "base", deployed=False, place="testing")
_START_SECONDS = 60
_ADDRESSES = Path("/proc/net/if_inet6")
_TENTATIVE = 0x40  # IFA_F_TENTATIVE of linux/if_addr.h
_ADDRESS_SECONDS = 30  # the kernel takes one to two to find out that nobody else has an address


def ensure(report: Report = print) -> str:
    """Return the tag of the image, building it where it is missing; ImageError or SetupError when that fails."""
    build.ensure(report, [IMAGE])
    return tags.reference(IMAGE)


@contextmanager
def running() -> Iterator[Browser]:
    """Run a browser that sees this machine's own addresses, 127.0.0.1 too, as the engine's host has them.

    Each test opens a context of its own in it (`new_context`): cookies and caches end with that.
    """
    [port] = free_ports(1)
    engine = docker.from_env()
    container = engine.containers.run(
        ensure(),
        [f"--remote-debugging-port={port}"],  # it listens on 127.0.0.1
        detach=True,
        network_mode="host",
        read_only=True,
        tmpfs={"/tmp": "rw,nosuid,size=256m,mode=1777"},  # noqa: S108 - the container's own
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        mem_limit="1g",
        init=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        until_answered(f"{url}/json/version", _START_SECONDS, lambda: _is_running(container), lambda: _said(container))
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(url)
            try:
                yield browser
            finally:
                browser.close()
    finally:
        container.remove(force=True)
        engine.close()


@contextmanager
def page(browser: Browser, **options: Any) -> Iterator[Page]:
    """Open a page as somebody who was never there; `options` are those of Playwright's `new_context`.

    A new container's interface gets its IPv6 address a second later, and at that moment Chromium ends the connections
    that it is making, to this machine too, with ERR_NETWORK_CHANGED. So this waits until every address is known.
    """
    until(lambda: not _tentative(), lambda: f"an IPv6 address of {_tentative()}", _ADDRESS_SECONDS)
    context = browser.new_context(**options)
    try:
        yield context.new_page()
    finally:
        context.close()


def _is_running(container: Container) -> bool:
    container.reload()
    return container.status == "running"


def _said(container: Container) -> str:
    return container.logs(tail=20).decode()


def _tentative() -> list[str]:
    """Return the interfaces with an address that the kernel does not know yet to be theirs alone."""
    if not _ADDRESSES.exists():
        return []
    lines = [line.split() for line in _ADDRESSES.read_text().splitlines()]
    return [interface for *_, flags, interface in lines if int(flags, 16) & _TENTATIVE]
