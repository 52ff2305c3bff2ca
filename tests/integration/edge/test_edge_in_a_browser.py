"""HTTPS at the edge as a browser sees it: redirect, HTTP/2, a web socket over it, and the cookie of a replica."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page

from components.certificate import read
from testing.browser import page
from testing.certificates import Authority
from testing.ports import free_ports
from tests.integration.edge.stage import Stage

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command"),
]

COOKIE = "FRIDAYREPLICA"
TALK = """said => new Promise((resolve, reject) => {
    const socket = new WebSocket(new URL("/socket", location.href.replace(/^http/, "ws")));
    socket.onopen = () => socket.send(said);
    socket.onmessage = message => { resolve(message.data); socket.close(); };
    socket.onclose = event => reject(new Error(`closed ${event.code}`));
})"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage()
    try:
        certificate = read(*Authority(tmp_path_factory.mktemp("tls") / "authority").sign("friday"))
        stage.start_edge(certificate, https_port=free_ports(1)[0], sticky_cookie=COOKIE)
        for _ in range(2):
            stage.start_websockets_replica()
        stage.until_up("friday", 2)
        yield stage
    finally:
        stage.close()


def visited(opened: Page, stage: Stage) -> str:
    """Come by clear text, as somebody types an address; return which replica answers on a web socket of that page."""
    opened.goto(f"http://127.0.0.1:{stage.ports['users']}/who?a=1")
    assert opened.url == f"https://127.0.0.1:{stage.ports['https']}/who?a=1"
    try:
        name, _, said = str(opened.evaluate(TALK, "hello")).partition(" ")
    except Error as error:  # beside other tests one was once closed: the edge's own lines say by whom
        raise AssertionError(stage.edge.logs(tail=20).decode()) from error
    assert said == "hello"
    return name


def test_a_page_is_sent_on_to_https_and_comes_back_to_its_replica(stage: Stage, chromium: Browser) -> None:
    with page(chromium, ignore_https_errors=True) as opened:
        home = visited(opened, stage)
        assert opened.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
        (cookie,) = opened.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["secure"]) == (COOKIE, True, True)
        assert {visited(opened, stage) for _ in range(4)} == {home}
    seen = {home}
    for _ in range(9):
        with page(chromium, ignore_https_errors=True) as opened:
            seen.add(visited(opened, stage))
    assert seen == {str(each.name) for each in stage.replicas("friday")}


def test_a_browser_that_does_not_know_the_authority_refuses(stage: Stage, chromium: Browser) -> None:
    with page(chromium) as opened, pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        opened.goto(f"https://127.0.0.1:{stage.ports['https']}/who")
