"""When the certificate ends that an edge serves, from what HAProxy prints."""

import datetime as dt
from typing import Any

import pytest

from ops.errors import OperationError
from ops.hosts.edge_certificate import served_last, served_until

# What `show ssl cert` of HAProxy 3.0 prints, shortened.
SHOWN = """Filename: /etc/friday/edge.pem
Status: Used
Serial: 4A
notBefore: Nov 30 07:44:36 2026 GMT
notAfter: Feb  8 07:44:36 2027 GMT
Subject Alternative Name: DNS:friday.example
"""


class Host:
    """An edge that answers so; it notes what it was asked."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        assert (stack, part) == ("t", "edge")
        self.asked.append(command[-1])
        return self.answers


def test_the_end_is_read() -> None:
    host: Any = Host({"edge-1": SHOWN})
    assert served_until(host, "t") == dt.datetime(2027, 2, 8, 7, 44, 36, tzinfo=dt.UTC)
    assert host.asked == ["show ssl cert /etc/friday/edge.pem\n"]


@pytest.mark.parametrize("answers", [{}, {"edge-1": "Can't display the certificate: Not found.\n"}])
def test_an_edge_that_says_none_has_none(answers: dict[str, str]) -> None:
    host: Any = Host(answers)
    assert served_until(host, "t") is None


class Lost(Host):
    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        raise OperationError("connection lost", "look")


def test_the_latest_of_all_hosts_counts_and_one_that_is_lost_says_nothing() -> None:
    later = SHOWN.replace("Feb  8", "Mar  8")
    hosts: list[Any] = [Host({"edge-1": later}), Lost({}), Host({"edge-1": SHOWN}), Host({})]
    assert served_last(hosts, "t") == dt.datetime(2027, 3, 8, 7, 44, 36, tzinfo=dt.UTC)
    assert served_last(hosts[1:2], "t") is None
