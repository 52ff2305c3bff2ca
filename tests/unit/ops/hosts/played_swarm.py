"""A manager of a Swarm for unit tests: its API with services and tasks that a test makes up."""

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from ops.hosts import swarm
from ops.hosts.swarm import SwarmManager

LINE = b"com.docker.swarm.node.id=n,com.docker.swarm.service.id=s,com.docker.swarm.task.id=%s %s\n"


def service(part: str = "friday", replicas: int | None = 2, update: str = "") -> dict[str, Any]:
    """Return a service; `replicas` None: on every host."""
    return {
        "ID": part,
        "Spec": {
            "Name": f"friday-t-{part}",
            "Labels": {"friday-litellm.part": part},
            "Mode": {"Global": {}} if replicas is None else {"Replicated": {"Replicas": replicas}},
            "TaskTemplate": {"ContainerSpec": {"Image": "i:1"}},
        },
        "UpdateStatus": {"State": update} if update else None,
    }


def task(id_: str, state: str = "running", wanted: str = "running", part: str = "friday", error: str = "") -> Any:
    """Return a task of a service."""
    return {
        "ID": id_,
        "ServiceID": part,
        "Slot": 1,
        "NodeID": "n",
        "DesiredState": wanted,
        "Spec": {"ContainerSpec": {"Image": "i:1"}},
        "Status": {
            "State": state,
            "Timestamp": f"2026-01-01T00:00:0{id_}.123456789Z",
            "Err": error,
            "ContainerStatus": {"ContainerID": "c"},
        },
    }


class Api:
    """A manager's API; what is removed is noted."""

    def __init__(self, services: list[Any], tasks: list[Any]) -> None:
        self.listed, self.all_tasks = services, tasks
        self.removed: list[str] = []
        self.others: list[tuple[str, str]] = []
        self.names = ["friday-t-edge-haproxy-cfg-01234567", "friday-t-eu-edge-haproxy-cfg-01234567", "odd"]

    def services(self, **_: Any) -> list[Any]:
        return self.listed

    def tasks(self, filters: Any = None) -> list[Any]:
        return [each for each in self.all_tasks if not filters or each["ServiceID"] in filters["service"]]

    def nodes(self) -> list[Any]:
        return [
            {"ID": id_, "Description": {"Hostname": name}, "Status": {"State": "ready"}}
            for id_, name in (("n", "one"), *self.others)
        ]

    def service_logs(self, *_: Any, **__: Any) -> list[bytes]:
        return [LINE % (b"1", b"of another"), LINE % (b"2", b"the schema is too old")]

    def configs(self) -> list[Any]:
        return [{"ID": name, "Spec": {"Name": name}} for name in self.names]

    def secrets(self) -> list[Any]:
        return [{"ID": "used", "Spec": {"Name": "friday-t-redis-redis-conf-89abcdef"}}]

    def remove_config(self, id_: str) -> None:
        self.removed.append(id_)

    def remove_service(self, id_: str) -> None:
        self.removed.append(id_)

    def remove_secret(self, _: str) -> None:
        raise APIError("secret is in use by a service")


def make_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a manager wait for nothing."""
    for name in ("_UPDATE_SECONDS", "_TASK_SECONDS", "_EVERY_SECONDS"):
        monkeypatch.setattr(swarm, name, 0.0)


def manager(services: list[Any], *tasks: Any) -> tuple[SwarmManager, Api]:
    """Return a manager of these, and its API."""
    api = Api(services, list(tasks))
    client: Any = SimpleNamespace(api=api)
    return SwarmManager(client, list), api
