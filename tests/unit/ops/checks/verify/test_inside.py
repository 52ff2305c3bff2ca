"""What is seen inside a container, read from a real shell's output, and compared with the declaration."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from components.workload import Workload
from ops.checks.report import Check, State
from ops.checks.verify import inside
from ops.checks.verify.containers import InspectedContainer
from ops.checks.verify.inside import ContainerContents
from tests.unit.given import LOCAL
from tests.unit.ops.checks.verify.inspected import STACK, inspected, workloads

FRIDAY = InspectedContainer(STACK, inspected(workloads()["friday"], "friday-1"))


class Shell:
    """A place whose containers answer every script with the same text."""

    def __init__(self, answer: Callable[[str], tuple[int, str]]) -> None:
        self._answer = answer

    def exec(self, container: str, script: str) -> tuple[int, str]:
        return self._answer(script)


def look(text: str, code: int = 0) -> ContainerContents | None:
    return inside.look(Shell(lambda _: (code, text)), FRIDAY, files=True)  # type: ignore[arg-type]


def failed(checks: list[Check]) -> list[tuple[str, ...]]:
    return [check.problems for check in checks if check.state is State.FAILED]


def as_declared() -> dict[str, str]:
    files = workloads()["friday"].files
    return {path: hashlib.sha256(file.content.encode()).hexdigest() for path, file in files.items()}


def test_processes_and_files_are_read() -> None:
    found = look(
        "10001 /sbin/docker-init -- python3 \n10001 python3 -m friday.service \n--\nabc  /etc/friday/secrets/x"
    )
    assert found == ContainerContents(
        "friday-1",
        (("10001", "/sbin/docker-init -- python3"), ("10001", "python3 -m friday.service")),
        {"secrets/x": "abc"},
    )


def test_a_container_without_a_shell_is_left_out() -> None:
    assert look("executable file not found", code=127) is None
    checks = inside.checks(workloads()["friday"], [None], {})
    assert {check.state for check in checks} == {State.SKIPPED}
    assert all("no shell" in check.found for check in checks)


def test_where_no_container_runs_nothing_is_said_of_its_inside() -> None:
    shell = Shell(lambda _: pytest.fail("asked"))
    isolation = inside.isolation(shell, [], ["litellm"], "edge")  # type: ignore[arg-type]
    checks = [*inside.checks(workloads()["friday"], [], {}), isolation]
    assert {(check.state, check.found) for check in checks} == {(State.SKIPPED, "no container of it runs")}


def test_what_is_as_declared_passes() -> None:
    found = ContainerContents("friday-1", (("10001", "python3"),), as_declared())
    checks = inside.checks(workloads()["friday"], [found], {"gatewayKey": "a-secret"})
    assert len(checks) == 3
    assert failed(checks) == []


def test_a_root_process_is_named_without_its_arguments() -> None:
    found = ContainerContents("friday-1", (("10001", "python3"), ("0", "sh -c password")), as_declared())
    assert failed(inside.checks(workloads()["friday"], [found], {})) == [("friday-1: sh",)]


def test_root_is_not_held_against_a_part_whose_setting_says_so() -> None:
    found = ContainerContents("friday-1", (("0", "node"),), {})
    (check,) = (each for each in inside.checks(own("0:0"), [found], {}) if "root" in each.name)
    assert (check.state, check.found) == (State.SKIPPED, "its setting says root")


def own(user: str) -> Workload:
    return workloads(friday={**LOCAL["friday"], "image": "registry.example/friday:1", "user": user})["friday"]


def test_a_secret_in_the_arguments_is_named_and_not_shown() -> None:
    found = ContainerContents("friday-1", (("10001", "python3 --key=hunter22"),), as_declared())
    checks = inside.checks(workloads()["friday"], [found], {"gatewayKey": "hunter22"})
    assert failed(checks) == [("friday-1: shows gatewayKey",)]


def test_missing_changed_and_added_files_are_named() -> None:
    first, second = sorted(as_declared())
    found = ContainerContents("friday-1", (("10001", "python3"),), {first: "other", "added": "x"})
    assert failed(inside.checks(workloads()["friday"], [found], {})) == [
        (f"friday-1: {second} is missing", "friday-1: added is not declared", f"friday-1: {first} has other content")
    ]


@pytest.mark.parametrize(
    ("code", "text", "problems"),
    [
        (0, "edge", ()),
        (0, "litellm edge", ("friday-1: finds litellm",)),
        (0, "", ("friday-1: does not find edge",)),
        (127, "", None),
    ],
)
def test_friday_finds_the_edge_only(code: int, text: str, problems: tuple[str, ...] | None) -> None:
    shell = Shell(lambda _: (code, text))
    check = inside.isolation(shell, [FRIDAY], ["litellm", "redis"], "edge")  # type: ignore[arg-type]
    assert check.state is (State.SKIPPED if problems is None else State.FAILED if problems else State.OK)
    assert check.problems == (problems or ())


class Asked:
    """A place whose containers print the same words, whatever they are asked."""

    docker_command = ("docker",)

    def __init__(self, words: str) -> None:
        self._words = words

    def run(self, *words: str) -> tuple[int, str]:
        assert words[:3] == ("docker", "exec", FRIDAY.name)
        return 0, self._words


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ("ok: 12 free models are listed", ()),
        ("certificate: that of x is not accepted (y)", ("friday-1: certificate: that of x is not accepted (y)",)),
        ("sh: 1: node: not found", ("friday-1: it could not be asked (sh: 1: node: not found)",)),
    ],
)
def test_a_container_that_does_not_get_out_is_named_with_the_hop(words: str, problems: tuple[str, ...]) -> None:
    asked: Any = Asked(words)
    assert inside.way_out_of(asked, "friday", ["node"], [FRIDAY]).problems == problems


def test_where_none_runs_nobody_is_asked_for_the_way_out() -> None:
    nobody: Any = Asked("")
    assert inside.way_out_of(nobody, "friday", ["node"], []).state is State.SKIPPED
