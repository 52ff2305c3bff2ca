"""The gateway's switch at edges that answer, that do not move, and that are just going or coming."""

from typing import Any

import pytest

from ops.errors import OperationError
from ops.hosts import edge_switch
from ops.hosts.edge_switch import Switch

HEAD = "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state"
STATE = f"\n1\n{HEAD}\n8 gateway_switch 1 open 127.0.0.1 2 {{}}\n"
OPEN, CLOSED, DEAF = STATE.format(0), STATE.format(1), ""


class Host:
    """A host with an edge that answers with each text in turn, and with the last from then on."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.heard: list[str] = []

    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        assert (stack, part) == ("t", "edge")
        self.heard.append(command[-1])
        if not self._answers:
            return {}
        return {f"edge-{id(self)}": self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_switch, "_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(edge_switch, "_STOPPING_SECONDS", 0.2)


def switch_at(*hosts: Host) -> Switch:
    found: Any = hosts
    return Switch(found, "t")


def test_every_edge_hears_it_once_and_shows_what_it_did() -> None:
    hosts = Host(CLOSED), Host(CLOSED)
    switch_at(*hosts).close()
    assert [host.heard for host in hosts] == [
        ["set server gateway_switch/open state maint; show servers state gateway_switch\n"]
    ] * 2


def test_an_edge_that_leaves_is_not_waited_for() -> None:
    switch_at(Host("leaving"), Host(CLOSED)).close()
    with pytest.raises(OperationError, match="no edge runs"):
        switch_at(Host("leaving")).close()


def test_an_edge_that_is_just_coming_is_told_again() -> None:
    host = Host(DEAF, DEAF, OPEN)
    switch_at(host).open()
    assert len(host.heard) == 3


@pytest.mark.parametrize(
    ("host", "words"), [(Host(CLOSED), "did not move"), (Host(DEAF), "did not move"), (Host(), "no edge runs")]
)
def test_an_edge_that_does_not_do_it_is_told(host: Host, words: str) -> None:
    with pytest.raises(OperationError, match=words):
        switch_at(host).open()
