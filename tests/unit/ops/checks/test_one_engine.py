"""DOCKER_HOST and a stack's dockerHost: before set-up both are asked, where they may differ."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ops.checks.preflight.one_engine import require_one_engine
from ops.commands import up
from ops.commands.up import UpRequest, bring_up
from ops.errors import EXIT_USAGE, OperationError
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.engine import INFO, engine


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Two engines, the second by two ways."""
    with ExitStack() as stack:
        first = stack.enter_context(engine(tmp_path / "1", {"/info": {**INFO, "ID": "a"}}))
        second = stack.enter_context(engine(tmp_path / "2", {"/info": {**INFO, "ID": "b"}}))
        (tmp_path / "3").symlink_to(tmp_path / "2")
        yield {
            "first": first,
            "second": second,
            "again": f"unix://{tmp_path / '3'}",
            "none": f"unix://{tmp_path / '4'}",
        }


def stack(address: str) -> Played:
    return Played(lambda: settings(dockerHost=address))


@pytest.mark.parametrize(
    ("chosen", "own", "right"),
    [
        ("second", "second", True),
        ("second", "again", True),
        ("first", "second", False),
        ("first", "none", False),
        ("none", "first", True),  # set-up says so
        ("", "first", True),  # set-up may have to start it first
    ],
)
def test_what_was_chosen_has_to_be_the_stacks_own(
    monkeypatch: pytest.MonkeyPatch, sockets: dict[str, str], chosen: str, own: str, right: bool
) -> None:
    monkeypatch.setenv("DOCKER_HOST", sockets.get(chosen, ""))
    if right:
        require_one_engine(stack(sockets[own]))
        return
    with pytest.raises(OperationError, match="should lead to one engine") as caught:
        require_one_engine(stack(sockets[own]))
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.fix == f"unset DOCKER_HOST, or pulumi config set dockerHost {sockets[chosen]} -s t"


def test_a_host_elsewhere_and_a_stack_of_registry_images_are_nobodys_choice(
    monkeypatch: pytest.MonkeyPatch, sockets: dict[str, str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", sockets["first"])
    require_one_engine(stack("ssh://deploy@h.example"))
    monkeypatch.setattr("ops.checks.preflight.one_engine.declare", lambda *_: [])
    require_one_engine(stack(sockets["second"]))


def test_an_update_is_refused_before_set_up(monkeypatch: pytest.MonkeyPatch, sockets: dict[str, str]) -> None:
    monkeypatch.setenv("DOCKER_HOST", sockets["first"])
    monkeypatch.setattr(up, "ensure_for", lambda _: pytest.fail("set up"))
    with pytest.raises(OperationError, match="should lead to one engine"):
        bring_up(stack(sockets["second"]), UpRequest())
