"""The report's lines and data, and a host that is not reached."""

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from cli.main import main
from ops.checks.report import Check, Report, State, compared
from ops.checks.verify import suite
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import testinfra_host
from ops.hosts.swarm_nodes import Noted
from ops.hosts.testinfra_host import open_test_host
from tests.unit.given import settings
from tests.unit.ops.deployed import Played

HEALTHY = compared("edge", "healthy (1)")
ILL = compared("redis", "healthy (1)", ["redis-1: exited"])
UNASKED = compared("host", "2 GB free", skipped="over tcp://")
NEXT = "next: ./fridayctl drift t reports what changed since the last update, and how to fix it"


def at(host: str, *checks: Check) -> list[Check]:
    return [replace(check, host=host) for check in checks]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Run the command on a report; return the lines that it prints."""
    Played().everywhere(monkeypatch)

    def run(checks: list[Check], *options: str) -> list[str]:
        monkeypatch.setattr(suite, "verify", lambda _: Report("t", checks))
        main(["verify", "t", *options])
        return capsys.readouterr().out.splitlines()

    return run


def test_lines_are_grouped_by_host(show: Callable[..., list[str]]) -> None:
    assert show([*at("ssh://a", HEALTHY, ILL), *at("ssh://b", UNASKED)]) == [
        "ssh://a",
        "  ok    edge: healthy (1)",
        "  FAIL  redis: healthy (1)",
        "        redis-1: exited",
        "ssh://b",
        "  --    host: 2 GB free (over tcp://)",
        "t: 3 checks, 1 failed",
        NEXT,
    ]


def test_only_failures_are_printed_for_cron(show: Callable[..., list[str]]) -> None:
    assert show([*at("ssh://a", HEALTHY), *at("ssh://b", ILL, UNASKED)], "--quiet") == [
        "ssh://b",
        "  FAIL  redis: healthy (1)",
        "        redis-1: exited",
        "t: 3 checks, 1 failed",
        NEXT,
    ]
    healthy = at("ssh://a", HEALTHY, UNASKED)
    assert show(healthy, "--quiet") == []
    assert show(healthy)[-1] == "t: 2 checks, none failed"


def test_the_document_says_what_passed_failed_and_was_not_asked(show: Callable[..., list[str]]) -> None:
    found = json.loads("\n".join(show(at("ssh://a", HEALTHY, ILL, UNASKED), "--json")))
    assert [(check["part"], check["ok"], check["problems"], check["left_out"]) for check in found["checks"]] == [
        ("edge", True, [], ""),
        ("redis", False, ["redis-1: exited"], ""),
        ("host", None, [], "over tcp://"),
    ]
    assert (found["ok"], {check["host"] for check in found["checks"]}) == (False, {"ssh://a"})


@pytest.mark.parametrize(("check", "code"), [(HEALTHY, 0), (ILL, 1), (UNASKED, 0)])
def test_the_exit_code_is_for_cron(check: Check, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Played().everywhere(monkeypatch)
    monkeypatch.setattr(suite, "verify", lambda _: Report("t", [check]))
    assert main(["verify", "t"]) == code
    assert main(["verify", "t", "--json"]) == code


def test_a_host_that_is_not_reached_is_a_failed_check() -> None:
    chosen = settings(dockerHost="ssh://nobody@127.0.0.1:1")
    report = suite.verify(Played().given(decrypted_settings=chosen))
    (check,) = report.checks
    assert check.host == "ssh://nobody@127.0.0.1:1"
    assert check.name == "is reached and answers"
    assert "cannot be reached" in check.problems[0]
    assert check.problems[-1].startswith("fix: ")


class Listed:
    """A host that runs two containers of the stack's: one of them belongs to nothing that is declared any more."""

    docker_command: ClassVar = ["docker"]

    def docker(self, *words: str) -> str:
        return "old new"

    def docker_json(self, *words: str) -> list[dict[str, str]]:
        return [{"Id": name, "Name": f"/{name}"} for name in words[1:]]


@pytest.mark.parametrize(
    ("engine", "lost", "seen"),
    [("swarm", False, ["new"]), ("swarm", True, ["old", "new"]), ("container", False, ["old", "new"])],
)
def test_what_a_swarm_lets_finish_is_not_compared(engine: str, lost: bool, seen: list[str]) -> None:
    def ending(stack: str) -> set[str]:
        if lost:
            raise OperationError("ssh://h: cannot be reached", "look at it")
        return {"old"}

    chosen = settings(engine=engine)
    deployment = Played().given(decrypted_settings=chosen).with_hosts(SimpleNamespace(ending=ending), {})
    compared = suite._Suite("t", chosen, [], (), suite._ending(deployment))
    assert [each.name for each in compared._seen(Listed())] == seen  # type: ignore[arg-type]


def test_nodes_that_are_not_as_the_stack_file_has_them_warn_and_fail_nothing() -> None:
    def noted(stack: str, address: str) -> list[Noted]:
        return [Noted(f"node x is not named, {stack} on {address}", "drain it")]

    def lost(stack: str, address: str) -> list[Noted]:
        raise OperationError("the Swarm has no leader", "start its managers")

    def nodes(engine: str, told: object) -> Any:
        given = Played().given(decrypted_settings=settings(engine=engine))
        manager = SimpleNamespace(noted=told, strangers=lambda: {"x": None})
        return suite._nodes(given.with_hosts(manager, {}))

    (check,), strangers = nodes("swarm", noted)
    assert (check.state, check.fix, strangers) == (State.WARNING, "drain it", 1)
    assert check.found.startswith("node x is not named, t on ")
    assert nodes("swarm", lost) == nodes("container", noted) == ((), 0)


def test_what_channels_show_is_looked_for_too() -> None:
    notify = {"slack": {"url": "https://hooks.example/x"}, "webhook": {"url": "https://pager.example", "token": "tok"}}
    found = suite._secrets(settings(notify=notify))
    assert {name: value for name, value in found.items() if name.startswith("notify.")} == {
        "notify.slack.url": "https://hooks.example/x",
        "notify.webhook.url": "https://pager.example",
        "notify.webhook.token": "tok",
    }
    assert "jwt_secret" in found


def test_a_docker_command_that_fails_is_told() -> None:
    with (
        open_test_host("unix:///nowhere/docker.sock", settings()) as at,
        pytest.raises(OperationError, match="docker info failed") as caught,
    ):
        at.docker("info", "--format", "{{.ID}}")
    assert caught.value.exit_code == EXIT_USAGE


class Gone:
    """A host whose ssh connection is gone, as Testinfra tells it."""

    def run(self, *_: str) -> None:
        raise RuntimeError(SimpleNamespace(stderr="Connection to host closed."))


def test_a_lost_connection_is_told() -> None:
    at = testinfra_host.TestHost("ssh://host", Gone(), ["docker"])
    with pytest.raises(OperationError, match="ssh://host: connection lost") as caught:
        at.docker("info")
    assert caught.value.details == "Connection to host closed."


def test_tls_files_go_to_the_docker_command() -> None:
    tls = {"caFile": "/c/ca.pem", "certFile": "/c/cert.pem", "keyFile": "/c/key.pem"}
    with open_test_host("tcp://host:2376", settings(dockerHost="tcp://host:2376", tls=tls)) as at:
        assert at.docker_command == [
            "docker",
            "--host",
            "tcp://host:2376",
            "--tlsverify",
            "--tlscacert=/c/ca.pem",
            "--tlscert=/c/cert.pem",
            "--tlskey=/c/key.pem",
        ]
        assert not at.runs_commands


def test_a_port_on_every_address_is_reached_by_the_loopback() -> None:
    assert testinfra_host._reached("0.0.0.0") == "127.0.0.1"  # noqa: S104
    assert testinfra_host._reached("10.0.0.1") == "10.0.0.1"
