"""Which engine `docker` talks to, and what chose it."""

import json
from pathlib import Path

import pytest

from tests.unit.toolchain.conftest import Stub
from toolchain.docker_endpoint import DEFAULT, Endpoint, endpoint


def context(name: str, host: str, *, tls: bool = False) -> str:
    told = {
        "Name": name,
        "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}},
        "TLSMaterial": {"docker": ["ca.pem", "cert.pem", "key.pem"]} if tls else {},
        "Storage": {"MetadataPath": "/c/meta/x", "TLSPath": "/c/tls/x"},
    }
    return f"[ \"$1 $2\" = 'context inspect' ] && echo '{json.dumps(told)}'"


def test_without_a_choice_it_is_the_usual_socket(stub: Stub) -> None:
    assert endpoint() == Endpoint(DEFAULT)  # no docker command
    stub("docker", context("default", DEFAULT))
    assert endpoint() == Endpoint(DEFAULT)
    assert endpoint().shown == DEFAULT


def test_a_context_is_named_and_left(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    stub("docker", context("rootless", "unix:///run/user/1000/docker.sock"))
    found = endpoint()
    assert found.shown == "unix:///run/user/1000/docker.sock (the docker context rootless)"
    assert found.undo == "docker context use default"
    monkeypatch.setenv("DOCKER_CONTEXT", "rootless")
    assert endpoint().undo == "unset DOCKER_CONTEXT"


def test_a_context_brings_its_own_tls_files(stub: Stub) -> None:
    stub("docker", context("far", "tcp://h:2376", tls=True))
    assert endpoint().tls_folder == Path("/c/tls/x/docker")


@pytest.mark.parametrize("answers", [True, False])
def test_docker_host_is_the_first_choice(stub: Stub, monkeypatch: pytest.MonkeyPatch, answers: bool) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://h:2375")
    stub("docker", context("default", "tcp://h:2375") if answers else "exit 1")
    assert endpoint() == Endpoint("tcp://h:2375", "DOCKER_HOST=tcp://h:2375", "unset DOCKER_HOST")


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs/client"}, "/certs/client"),
        ({"DOCKER_TLS": "1", "DOCKER_CONFIG": "/c"}, "/c"),
        ({"DOCKER_TLS_VERIFY": "1"}, ".docker"),
        ({"DOCKER_CERT_PATH": "/certs/client"}, None),
    ],
)
def test_tls_is_asked_for_as_docker_is_asked(
    stub: Stub, user: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str | None
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://h:2376")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert endpoint().tls_folder == (None if folder is None else user / folder)


def test_a_context_that_is_not_there_can_be_left_all_the_same(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    stub("docker", """echo 'context "gone": context not found' >&2; exit 1""")
    assert endpoint() == Endpoint(DEFAULT, "the docker context gone", "unset DOCKER_CONTEXT")
