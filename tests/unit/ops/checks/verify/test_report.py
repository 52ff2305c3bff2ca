"""The report's lines and data, and a host that is not reached."""

from types import SimpleNamespace

import pytest

from cli.main import main
from ops.checks.verify import suite
from ops.checks.verify.result import Check, Report
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import testinfra_host
from ops.hosts.testinfra_host import open_test_host
from tests.unit.given import settings
from tests.unit.ops.deployed import Played

WELL = Check("edge", "healthy (1)")
ILL = Check("redis", "healthy (1)", ("redis-1: exited",))
UNASKED = Check("host", "2 GB free", left_out="over tcp://")
NEXT = "next: ./fridayctl drift t tells what changed since the last update, and how to fix it"


def test_lines_are_grouped_by_host() -> None:
    report = Report("t", {"ssh://a": [WELL, ILL], "ssh://b": [UNASKED]})
    assert list(report.lines()) == [
        "ssh://a",
        "  ok    edge: healthy (1)",
        "  FAIL  redis: healthy (1)",
        "        redis-1: exited",
        "ssh://b",
        "  --    host: 2 GB free (over tcp://)",
        "t: 3 checks, 1 failed",
        NEXT,
    ]
    assert (report.ok, report.failed) == (False, 1)


def test_only_failures_are_printed_for_cron() -> None:
    ill = Report("t", {"ssh://a": [WELL], "ssh://b": [ILL, UNASKED]})
    assert list(ill.lines(only_failed=True)) == [
        "ssh://b",
        "  FAIL  redis: healthy (1)",
        "        redis-1: exited",
        "t: 3 checks, 1 failed",
        NEXT,
    ]
    well = Report("t", {"ssh://a": [WELL, UNASKED]})
    assert list(well.lines(only_failed=True)) == []
    assert list(well.lines())[-1] == "t: 2 checks, none failed"


@pytest.mark.parametrize(("check", "code"), [(WELL, 0), (ILL, 1), (UNASKED, 0)])
def test_the_exit_code_is_for_cron(check: Check, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Played().everywhere(monkeypatch)
    monkeypatch.setattr(suite, "verify", lambda _: Report("t", {"unix:///x": [check]}))
    assert main(["verify", "t"]) == code
    assert main(["verify", "t", "--json"]) == code


def test_a_host_that_is_not_reached_is_a_failed_check() -> None:
    chosen = settings(dockerHost="ssh://nobody@127.0.0.1:1")
    report = suite.verify(Played().given(decrypted_settings=chosen))
    (check,) = report.hosts["ssh://nobody@127.0.0.1:1"]
    assert check.name == "is reached and answers"
    assert "cannot be reached" in check.problems[0]
    assert check.problems[-1].startswith("fix: ")


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
