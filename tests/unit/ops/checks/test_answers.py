"""Answers and complaints: what is asked after an update."""

from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from components.parts import NAMES
from ops.checks import answers
from ops.commands.status import Status
from ops.errors import EXIT_FAILED, EXIT_USAGE, CheckError, OperationError
from ops.hosts.docker_host import Instance
from ops.hosts.hosts import Hosts
from testing.served import served
from tests.unit.given import settings
from tests.unit.ops.deployed import Played


class Engine:
    """A Docker host with something to complain of, or nothing, and these parts well."""

    def __init__(self, complaint: str = "", well: Sequence[str] = ()) -> None:
        self._complaint = complaint
        self._well = well

    def complaint(self, stack: str) -> str:
        return self._complaint

    def instances(self, stack: str) -> list[Instance]:
        ill = [Instance(f"friday-t-{part}-2", part, "i:1", "exited", "unhealthy", 5) for part in NAMES]
        return [*ill, *(Instance(f"friday-t-{part}-1", part, "i:1", "running", "healthy", 5) for part in self._well)]


def on(host: Engine) -> Played:
    return Played().with_hosts(host)


def test_an_unhealthy_stack_is_told_with_what_was_seen() -> None:
    with pytest.raises(OperationError, match="not everything is healthy") as caught:
        answers.all_well(on(Engine(complaint="friday-1: exited")))
    assert "friday-1: exited" in caught.value.details
    answers.all_well(on(Engine()))


ILL = """friday-t-redis-1: exited, exit code 137
  probe | PONG
  log   | bye: exited
friday-t-litellm-2-0a: running, unhealthy
  log   | (nothing logged)"""


@pytest.mark.parametrize(("well", "percentage"), [(("edge", "friday"), 0), (("edge", "friday", "litellm"), 50)])
def test_users_are_safe_without_the_parts_that_they_do_not_need(well: Sequence[str], percentage: int) -> None:
    unhealthy = ["friday-t-redis-1: exited, exit code 137", "friday-t-litellm-2-0a: running, unhealthy"]
    assert answers.users_are_safe(on(Engine(ILL, well)), percentage) == unhealthy
    assert answers.users_are_safe(on(Engine()), percentage) == []


@pytest.mark.parametrize(
    ("well", "percentage", "lacking"),
    [
        (("friday", "litellm"), 0, "edge"),
        (("edge", "litellm"), 0, "friday"),
        (("edge", "friday"), 1, "litellm"),
        ((), 50, "edge or friday or litellm"),
    ],
)
def test_users_need_one_that_is_well_of_each_part_that_answers_them(
    well: Sequence[str], percentage: int, lacking: str
) -> None:
    with pytest.raises(CheckError, match=f"no container of {lacking} is healthy") as caught:
        answers.users_are_safe(on(Engine(ILL, well)), percentage)
    assert (caught.value.exit_code, caught.value.details) == (EXIT_FAILED, ILL)
    assert ("rollback t --level 1" in caught.value.fix) == (lacking == "litellm")


@pytest.fixture
def friday(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that answers with the status of the test's parameter, over its paths in turn and then the last one."""
    status, *paths = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("X-Friday-Path", paths.pop(0) if len(paths) > 1 else paths[0])
            self.send_header("X-Friday-Model", "m:free")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with served(HTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize("friday", [(200, "litellm")], indirect=True)
def test_at_100_percent_only_the_gateway_is_asked(friday: str) -> None:
    found = answers.both_paths(friday, 100)
    assert [(answer.user_id, answer.path, answer.model) for answer in found] == [(0, "litellm", "m:free")]


@pytest.mark.parametrize("friday", [(200, "litellm")], indirect=True)
def test_with_the_simulator_an_image_that_has_a_chat_is_asked_for_one(friday: str) -> None:
    told: list[str] = []
    deployment = Played(report=lambda label, text: told.append(f"{label}: {text}"))
    (answer,) = answers.ask_around(answers.Friday(friday, "/api/ask"), deployment, 100)
    assert (answer.user_id, answer.path) == (0, "litellm")
    assert told[0].startswith("checked: user 0: litellm, m:free, ")


@pytest.mark.parametrize("friday", [(200, "direct")], indirect=True)
def test_friday_is_asked_past_the_proxies_of_the_environment(friday: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert answers.ask(friday, 99).path == "direct"


@pytest.mark.parametrize("friday", [(200, "direct")], indirect=True)
@pytest.mark.parametrize("changes", [{"rolloutPercentage": 0}, {"rolloutPercentage": 50, "litellmEnabled": False}])
def test_without_a_rollout_only_the_direct_path_is_asked(friday: str, changes: dict[str, Any]) -> None:
    assert [answer.user_id for answer in answers.both_paths(friday, settings(**changes).effective_percentage)] == [99]


@pytest.mark.parametrize("friday", [(200, "litellm", "direct")], indirect=True)
@pytest.mark.parametrize(
    ("percentage", "testers", "asked"),
    [(0, (99, 7), [(7, "litellm"), (199, "direct")]), (50, (99, 199), [(0, "litellm"), (299, "direct")])],
)
def test_a_tester_is_asked_on_the_gateway_and_nobody_of_them_on_the_direct_path(
    friday: str, percentage: int, testers: tuple[int, ...], asked: list[tuple[int, str]]
) -> None:
    found = answers.both_paths(friday, percentage, testers)
    assert [(answer.user_id, answer.path) for answer in found] == asked


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("friday", [(200, "direct")], indirect=True)
def test_a_tester_who_compares_may_be_on_either_path(friday: str) -> None:
    found = answers.both_paths(friday, 0, (7,), compare=True)
    assert [(answer.user_id, answer.path) for answer in found] == [(7, "direct"), (99, "direct")]


@pytest.mark.parametrize("friday", [(200, "litellm")], indirect=True)
def test_no_tester_speaks_for_the_users_of_a_percentage(friday: str) -> None:
    assert [answer.user_id for answer in answers.both_paths(friday, 100, (0, 100), compare=True)] == [200]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_SETTLE_SECONDS", 2.0)
    monkeypatch.setattr(answers, "_EVERY_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("friday", [(200, "fallback", "fallback", "litellm")], indirect=True)
def test_a_gateway_that_has_just_started_is_asked_again(friday: str) -> None:
    found = answers.both_paths(friday, 100)
    assert [(answer.user_id, answer.path) for answer in found] == [(0, "litellm")]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("friday", [(200, "fallback")], indirect=True)
def test_an_answer_that_stays_on_the_wrong_path_is_a_failure(friday: str) -> None:
    with pytest.raises(OperationError, match="user 0 should be answered over litellm"):
        answers.both_paths(friday, 50)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("friday", [(200, "fallback")], indirect=True)
def test_without_redis_the_direct_path_may_answer_in_the_gateways_place(friday: str) -> None:
    (answer,) = answers.both_paths(friday, 100, fallback_counts=True)
    assert answer.path == "fallback"


@pytest.mark.parametrize("friday", [(500, "litellm")], indirect=True)
def test_an_error_is_a_failure_with_the_answers_text(friday: str) -> None:
    with pytest.raises(OperationError, match="did not answer user 0") as caught:
        answers.ask(friday, 0)
    assert caught.value.details == "{}"


def test_an_engine_that_does_not_answer_is_named() -> None:
    with pytest.raises(OperationError, match=r"Docker at unix:///nonexistent\.sock does not answer") as caught:
        Hosts(settings(dockerHost="unix:///nonexistent.sock")).at("unix:///nonexistent.sock")
    assert caught.value.exit_code == EXIT_USAGE


def instance(health: str = "healthy") -> Instance:
    return Instance("friday-t-friday-1", "friday", "i:1", "running", health, 5)


@pytest.mark.parametrize(
    ("deployed", "instances", "headline"),
    [
        (None, [], "not deployed"),
        (50, [instance()], "50 % of users through LiteLLM, all healthy"),
        (50, [instance("starting")], "50 % of users through LiteLLM, 1 of 1 containers not healthy"),
        (10, [instance()], "10 % of users through LiteLLM (the stack file says 50 %"),
    ],
)
def test_the_headline_says_where_the_rollout_stands(
    deployed: int | None, instances: list[Instance], headline: str
) -> None:
    status = Status("t", 50, deployed, [], instances, {})
    assert status.headline.startswith(headline)
    assert status.healthy is (bool(instances) and instances[0].healthy)


def test_an_account_that_may_less_than_the_stack_file_says_is_a_warning() -> None:
    assert Status("t", 0, 0, [], [instance()], {}, testers=[7]).headline.startswith("0 % of users and 1 tester through")
    [warning] = Status("t", 50, 50, [], [instance()], {}, named_limit=16).warnings
    assert "allows the account 16 free requests a minute" in warning
    assert "pulumi config set --path quota.requestsPerMinute 16 -s t" in warning
    assert not Status("t", 50, 50, [], [instance()], {}).warnings
