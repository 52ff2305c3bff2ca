"""The Pulumi program as a whole: where it finds its settings, and what it says of wrong ones."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

import program
from components.settings.stack import SECRET_KEYS
from components.surroundings import Surroundings
from components.swarm_placement import Strangers
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.docker_host import FORM_LABEL
from tests.unit.declared import CONTAINER, IMAGES, by_part, record
from tests.unit.given import settings

SETTINGS = {
    "friday-litellm:engine": "container",
    "friday-litellm:upstream": "simulator",
    "friday-litellm:rolloutPercentage": "30",
    "friday-litellm:friday": json.dumps({"environment": {"VITE_APP_ID": "a", "OWNER_OPEN_ID": "o"}}),
}


class Client:
    """An engine that answers with its API's version, and with the containers that keep their image."""

    def __init__(self, version: str, *keeping: dict[str, object]) -> None:
        self._version = version
        self.api = SimpleNamespace(containers=lambda filters: list(keeping))
        self.open = True

    def version(self) -> dict[str, str]:
        return {"Version": "own", "ApiVersion": self._version}

    def close(self) -> None:
        self.open = False


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give it secrets and images, as a set-up machine has them."""
    (tmp_path / "secrets.json").write_text(json.dumps({key: f"{key}-{'x' * 32}" for key in SECRET_KEYS}))
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    monkeypatch.setattr(program, "local_images", lambda: IMAGES)
    monkeypatch.setattr(program, "connect", lambda *_: Client("1.41"))
    yield
    pulumi.runtime.set_all_config({})


@pytest.mark.parametrize("by", ["environment", "engine"])
def test_it_declares_what_the_settings_say_wherever_pulumi_puts_them(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "environment":
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(SETTINGS))
    else:
        pulumi.runtime.set_all_config(SETTINGS)
    containers = record(program.program).of(CONTAINER)
    percentages = {
        variable
        for inputs in containers.values()
        for variable in inputs.get("envs", ())
        if variable.startswith("LITELLM_ROLLOUT_PERCENTAGE=")
    }
    assert percentages == {"LITELLM_ROLLOUT_PERCENTAGE=30"}


@pytest.mark.parametrize("run", [program.program, partial(program.connection, {})])
def test_a_wrong_setting_ends_it_with_the_mend(run: Callable[[], None]) -> None:
    pulumi.runtime.set_all_config({**SETTINGS, "friday-litellm:rolloutPercentage": "101"})
    with pytest.raises(pulumi.RunError, match=r"rolloutPercentage: should be .*\n  fix: "):
        run()


@pytest.mark.parametrize(("api", "interval"), [("1.41", None), ("1.43", None), ("1.44", "1s"), ("1.56", "1s")])
def test_probes_get_a_start_interval_where_the_engine_has_one(
    api: str, interval: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(api)
    monkeypatch.setattr(program, "connect", lambda *_: client)
    pulumi.runtime.set_all_config(SETTINGS)
    probes = [each["healthcheck"] for each in record(program.program).of(CONTAINER).values() if "healthcheck" in each]
    assert probes
    assert {probe.get("startInterval") for probe in probes} == {interval}
    assert not client.open


def test_what_has_the_ports_keeps_its_image_as_long_as_it_runs_as_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    def ports(*keeping: dict[str, object]) -> dict[str, Any]:
        monkeypatch.setattr(program, "connect", lambda *_: Client("1.41", *keeping))
        pulumi.runtime.set_all_config(SETTINGS)
        (found,) = by_part(record(program.program))["edge-ports"]
        return found

    fresh = ports()
    form = next(each["value"] for each in fresh["labels"] if each["label"] == FORM_LABEL)
    kept = ports({"Labels": {FORM_LABEL: form}, "ImageID": "sha256:older"})
    assert kept == {**fresh, "image": "sha256:older"}
    assert ports({"Labels": {FORM_LABEL: "0ther0nes"}, "ImageID": "sha256:older"}) == fresh


STRANGERS = Strangers(frozenset({"n"}))


class SwarmHosts:
    """The hosts of a Swarm whose service of the ports runs of an image; each answers whether it has that."""

    def __init__(self, *have: bool) -> None:
        self.have = have
        self.open = True
        self.manager = SimpleNamespace(
            kept_images=lambda stack: {"0123abcd": "edge:1"}, strangers_to=lambda stack: STRANGERS
        )

    def answering(self, lost: object) -> dict[str, SimpleNamespace]:
        return {f"h{number}": SimpleNamespace(has=lambda _, has=has: has) for number, has in enumerate(self.have)}

    def close(self) -> None:
        self.open = False


@pytest.mark.parametrize(("have", "kept"), [([True, True], {"0123abcd": "edge:1"}), ([True, False], {})])
def test_in_a_swarm_an_image_stays_where_every_host_has_it(
    have: list[bool], kept: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new host has only what is declared now: a task of the older image could not start there."""
    hosts = SwarmHosts(*have)
    monkeypatch.setattr(program, "Hosts", lambda _: hosts)
    named = {"dockerHost": "tcp://a:2376", "engine": "swarm", "swarmHosts": ["tcp://b:2376"]}
    files = {"caFile": "/ca", "certFile": "/cert", "keyFile": "/key"}
    assert program.what_runs(settings(**named, tls=files)) == Surroundings(kept_images=kept, strangers=STRANGERS)
    assert not hosts.open


def test_an_engine_that_does_not_answer_ends_it_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> Client:
        raise OperationError("ssh://h: cannot be reached", "look at it", EXIT_USAGE)

    monkeypatch.setattr(program, "connect", connect)
    pulumi.runtime.set_all_config(SETTINGS)
    with pytest.raises(pulumi.RunError, match=r"ssh://h: cannot be reached\n  fix: look at it"):
        program.program()
