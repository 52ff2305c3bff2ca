"""The provider alone, and whether the one that a state records leads to the host as the settings do."""

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.settings import get_monitor

from components.connection import HOST_TYPE, PROVIDER, STACK_TYPE, Connection, is_as_recorded
from components.settings.stack import StackSettings
from tests.unit.declared import declare, plain, record
from tests.unit.given import settings

SSH = {"dockerHost": "ssh://deploy@staging.example", "ssh": {"identityFile": "~/.ssh/friday"}}


def tcp(folder: Path) -> StackSettings:
    files = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key")}
    for name, path in files.items():
        path.write_text(name)
    return settings(dockerHost="tcp://h.example:2376", tls={f"{name}File": str(path) for name, path in files.items()})


def recorded(chosen: StackSettings) -> dict[str, Any]:
    """Return the provider's inputs as the whole program gives them, with what the engine adds."""
    (found,) = declare(chosen).of(PROVIDER).values()
    return {**{name: plain(value) for name, value in found.items()}, "version": "5.2.0", "__internal": {}}


def urns() -> set[str]:
    """Return the URNs of all that was declared last: they name the parents too."""
    monitor: Any = get_monitor()  # that of the mocks
    return set(monitor.resources)


def test_it_declares_the_provider_where_the_stack_has_it_and_nothing_that_runs() -> None:
    chosen = settings(**SSH)
    alone, its = record(lambda: Connection("t", chosen)), urns()
    whole = declare(chosen)
    assert its < urns()
    assert [each.kind for each in alone.resources] == [STACK_TYPE, HOST_TYPE, PROVIDER]
    assert alone.of(PROVIDER) == whole.of(PROVIDER)


@pytest.mark.parametrize("address", ["unix:///var/run/docker.sock", "ssh://deploy@staging.example", "tcp"])
def test_a_login_is_known_to_the_state_by_the_registrys_name_alone(address: str, tmp_path: Path) -> None:
    chosen = tcp(tmp_path) if address == "tcp" else settings(dockerHost=address)
    (without,) = record(lambda: Connection("t", chosen)).of(PROVIDER).values()
    (given,) = record(lambda: Connection("t", chosen, ["registry.example"])).of(PROVIDER).values()
    assert "registryAuth" not in without
    assert json.loads(given["registryAuth"]) == [{"address": "registry.example"}]
    assert given == {**without, "registryAuth": given["registryAuth"]}
    assert is_as_recorded(chosen, given)


@pytest.mark.parametrize("address", ["unix:///var/run/docker.sock", "ssh://deploy@staging.example", "tcp"])
def test_the_same_settings_lead_there_as_recorded(address: str, tmp_path: Path) -> None:
    chosen = tcp(tmp_path) if address == "tcp" else settings(dockerHost=address)
    assert is_as_recorded(chosen, recorded(chosen))


@pytest.mark.parametrize(
    "changed",
    [
        {"ssh": {"identityFile": "~/.ssh/mine"}},
        {"ssh": {"identityFile": "~/.ssh/friday", "knownHostsFile": "~/mine"}},
        {"ssh": {}},
        {"dockerHost": "ssh://me@staging.example"},
        {"dockerHost": "unix:///var/run/docker.sock"},
    ],
)
def test_another_operators_files_or_address_do_not(changed: dict[str, Any]) -> None:
    assert not is_as_recorded(settings(**{**SSH, **changed}), recorded(settings(**SSH)))


def test_a_certificate_that_was_renewed_does_not(tmp_path: Path) -> None:
    chosen = tcp(tmp_path)
    before = recorded(chosen)
    (tmp_path / "cert.pem").write_text("renewed")
    assert not is_as_recorded(chosen, before)


def test_options_of_another_form_are_compared_as_what_they_say() -> None:
    chosen = settings(**SSH)
    said = recorded(chosen)
    options = said["sshOpts"] if isinstance(said["sshOpts"], list) else json.loads(said["sshOpts"])
    assert is_as_recorded(chosen, {**said, "sshOpts": options})
    assert is_as_recorded(chosen, {**said, "sshOpts": json.dumps(options, indent=1)})
    assert not is_as_recorded(chosen, {**said, "sshOpts": "[cut"})


def test_a_host_whose_key_is_not_known_is_never_reached_and_nobody_is_asked() -> None:
    for each in (settings(**SSH), settings(dockerHost="ssh://deploy@staging.example")):
        assert {"StrictHostKeyChecking=yes", "BatchMode=yes"} < set(each.ssh.options())
