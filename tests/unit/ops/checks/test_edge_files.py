"""An update is not well before each edge has taken its files."""

from typing import Any

import pytest

from ops.checks import edge_files
from ops.errors import EXIT_FAILED, CheckError


class Host:
    """A host whose edges answer so, one look after the other."""

    def __init__(self, *looks: dict[str, str]) -> None:
        self.looks = list(looks)

    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        assert (stack, part, command[:2]) == ("t", "edge", ["bash", "-c"])
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def require(**hosts: Any) -> None:
    edge_files.require_taken("t", hosts)


def test_an_edge_gets_the_time_to_take_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    host = Host({"edge-1": "not yet\n"}, {"edge-1": "not yet\n"}, {"edge-1": "taken\n"})
    require(one=host, none=Host({}))
    assert len(host.looks) == 1


def test_one_that_refuses_is_named_with_haproxys_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_files, "_SECONDS", 0.0)
    refusing = Host({"edge-1": "Success=0\n--\n[ALERT] unknown keyword 'nonsense'\n"})
    with pytest.raises(CheckError, match="has not taken its new configuration") as caught:
        require(one=Host({"edge-1": "taken"}), two=refusing, three=Host({"edge-1": ""}))
    assert caught.value.details.splitlines() == [
        "edge-1 on two: Success=0",
        "--",
        "[ALERT] unknown keyword 'nonsense'",
        "edge-1 on three: no answer",
    ]
    assert caught.value.exit_code == EXIT_FAILED
