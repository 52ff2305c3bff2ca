"""Whether a stack is where its stack file says: an address may be spelled anew, a machine may be another."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import same_machine
from ops.hosts.connection import connect
from tests.unit.given import settings
from tests.unit.ops.engine import INFO, engine

MANAGER: dict[str, Any] = {
    "LocalNodeState": "active",
    "ControlAvailable": True,
    "NodeID": "n",
    "Cluster": {"ID": "swarm-1"},
}


def look(
    folder: Path, here: dict[str, Any], there: dict[str, Any] | None, ids: set[str], kind: str = "container"
) -> None:
    """Ask whether the stack at `old` is at `new`; `None`: nobody answers at `old`."""
    old = f"unix://{folder / 'old'}"
    chosen = settings(dockerHost=f"unix://{folder / 'new'}", engine=kind)
    with ExitStack() as engines:
        engines.enter_context(engine(folder / "new", {"/networks": []} | here))
        if there is not None:
            engines.enter_context(engine(folder / "old", there))
        client = engines.enter_context(closing(connect(chosen.docker_host, chosen.ssh, chosen.tls)))
        same_machine.require("t", chosen, client, old, ids)


@pytest.mark.parametrize(
    "here",
    [
        {"/containers/json": [{"Id": "a"}]},
        {"/networks": [{"Id": "a"}]},
        {"/info": INFO | {"Swarm": MANAGER}, "/services": [{"ID": "a"}]},
    ],
)
def test_an_engine_that_knows_something_of_it_is_no_other_and_the_old_address_is_not_asked(
    here: dict[str, Any], tmp_path: Path
) -> None:
    look(tmp_path, here, None, {"a", "b"})


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({"ID": "one"}, {"ID": "one"}),
        ({"ID": "one", "Swarm": MANAGER}, {"ID": "two", "Swarm": MANAGER}),
    ],
)
def test_one_engine_under_two_names_and_two_managers_of_a_swarm_are_no_other(
    here: dict[str, Any], there: dict[str, Any], tmp_path: Path
) -> None:
    look(tmp_path, {"/info": {**INFO, **here}, "/services": []}, {"/info": {**INFO, **there}}, {"a"})


def test_another_machine_is_refused_with_both_commands(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="another machine") as caught:
        look(tmp_path, {"/info": {**INFO, "ID": "one"}}, {"/info": {**INFO, "ID": "two"}}, {"a"})
    old, new = (f"unix://{tmp_path / name}" for name in ("old", "new"))
    assert caught.value.message.startswith(f"t runs on {old}, and Pulumi.t.yaml: friday-litellm:dockerHost names {new}")
    assert caught.value.fix == (
        f"pulumi config set dockerHost {old} -s t && ./fridayctl down t, "
        f"then pulumi config set dockerHost {new} -s t && ./fridayctl up t"
    )
    assert caught.value.exit_code == EXIT_USAGE


def test_a_machine_that_does_not_answer_may_never_come_back(tmp_path: Path) -> None:
    swarm = {"/info": {**INFO, "ID": "one", "Swarm": MANAGER}, "/services": []}
    with pytest.raises(OperationError, match="where nothing of it is") as caught:
        look(tmp_path, swarm, None, {"a"}, "swarm")
    assert "swarmHosts as they were && ./fridayctl down t" in caught.value.fix
    assert "only if that machine never comes back: pulumi state delete --all --yes -s t" in caught.value.fix
    assert "does not answer" in caught.value.details


def test_engines_that_do_not_say_who_they_are_are_two(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="another machine"):
        look(tmp_path, {}, {}, {"a"})
