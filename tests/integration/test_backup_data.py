"""What a backup takes of a host, and puts on one that has none, at a real engine."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import httpx
import pytest

from ops.backup import sealed
from ops.commands import restore_backup
from ops.commands.backup import BackupRequest, save
from ops.commands.restore_backup import RestoreRequest, restore
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import volumes
from ops.hosts.machine import Space, ThisMachine
from ops.waiting import look_until
from testing.ports import free_ports
from tests.unit.ops.backup.backups import PASSPHRASE
from tests.unit.ops.backup.machines import SETTINGS, Machine
from toolchain.tar_members import END, header, padding

pytestmark = [pytest.mark.engine, pytest.mark.beside]

SEEN = bytes(range(256)) * 10_000


class Stack:
    """A stack of which a host has nothing but what Prometheus saw."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.name = f"t{uuid.uuid4().hex[:8]}"
        self.client = docker.from_env()
        self.file = folder / "backup.tar"
        self.folder, self.patch = folder, patch
        self.said: list[str] = []
        Machine(folder / "old", patch).add(self.name)
        volumes.fill(self.client, self.name, self.volume, self._content())

    @property
    def volume(self) -> str:
        return f"friday-{self.name}-prometheus-data"

    @staticmethod
    def _content() -> Iterator[bytes]:
        yield header("data", folder=True, owner=(10001, 10001)) + header("data/wal", folder=True, owner=(10001, 10001))
        yield header("data/wal/00000001", len(SEEN)) + SEEN + padding(len(SEEN)) + END

    def report(self, _: str, text: str) -> None:
        self.said.append(text)

    def save(self) -> None:
        save(BackupRequest((self.name,), self.file, PASSPHRASE), self.report)

    def restore(self, machine: str) -> restore_backup.Restored:
        Machine(self.folder / machine, self.patch)
        return restore(RestoreRequest(self.file, PASSPHRASE), self.report)

    def seen(self) -> bytes:
        found: list[bytes] = []
        volumes.read(self.client, self.name, self.volume, lambda _, __, content: found.append(content.read()))
        return b"".join(found)

    def lose(self) -> None:
        self.client.volumes.get(self.volume).remove()


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setattr(sealed, "WORK", 1 << 10)
    made = Stack(tmp_path, monkeypatch)
    yield made
    if volumes.has_volume(made.client, made.volume):
        made.lose()


def test_a_new_host_gets_what_the_old_one_saw(stack: Stack) -> None:
    stack.save()
    assert f"{stack.volume}: 2.6 MB in 1 files, from unix:///var/run/docker.sock" in stack.said
    stack.lose()
    done = stack.restore("new")
    assert done.filled == [stack.volume]
    assert stack.seen() == SEEN
    assert volumes.owner_of(stack.client, stack.name, stack.volume) == (10001, 10001)


def test_what_a_host_has_stays(stack: Stack) -> None:
    stack.save()
    before = stack.client.volumes.get(stack.volume).attrs["CreatedAt"]
    assert stack.restore("new").filled == []
    assert f"{stack.volume} is on unix:///var/run/docker.sock, and stays as it is" in stack.said
    assert stack.client.volumes.get(stack.volume).attrs["CreatedAt"] == before


def test_a_host_without_room_is_refused_before_anything_changes(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stack.save()
    stack.lose()
    monkeypatch.setattr(ThisMachine, "space", lambda *_: Space(0, 1000))
    with pytest.raises(OperationError, match="too little disk: 5 MB for metrics") as caught:
        stack.restore("new")
    assert caught.value.exit_code == EXIT_USAGE
    assert not volumes.has_volume(stack.client, stack.volume)
    assert not list((tmp_path / "new").rglob("*.yaml"))


def test_a_host_that_is_not_reached_is_named_with_the_way_without(stack: Stack, tmp_path: Path) -> None:
    settings = tmp_path / "old" / "checkout" / f"Pulumi.{stack.name}.yaml"
    settings.write_text(SETTINGS.format(50) + "  friday-litellm:dockerHost: unix:///nowhere/docker.sock\n")
    with pytest.raises(OperationError, match="unix:///nowhere") as caught:
        stack.save()
    assert caught.value.exit_code == EXIT_USAGE
    assert "--no-metrics" in caught.value.fix
    assert not stack.file.exists()


def test_a_backup_goes_back_without_its_hosts_only_when_told(stack: Stack, tmp_path: Path) -> None:
    settings = tmp_path / "old" / "checkout" / f"Pulumi.{stack.name}.yaml"
    settings.write_text(SETTINGS.format(50) + "  friday-litellm:dockerHost: unix:///nowhere/docker.sock\n")
    save(BackupRequest((stack.name,), stack.file, PASSPHRASE, metrics=False), stack.report)
    with pytest.raises(OperationError, match="unix:///nowhere") as caught:
        stack.restore("new")
    assert "--no-metrics" in caught.value.fix
    assert not list((tmp_path / "new").rglob("*.yaml"))
    assert restore(RestoreRequest(stack.file, PASSPHRASE, metrics=False), stack.report).filled == []
    assert list((tmp_path / "new").rglob("*.yaml"))


@contextmanager
def prometheus(stack: Stack) -> Iterator[Callable[[float], int]]:
    """Run Prometheus on the stack's volume, looking at itself; yield what counts its looks before a moment."""
    tags = [str(tag) for each in stack.client.api.images() for tag in each["RepoTags"] or ()]
    image = next(tag for tag in tags if tag.startswith("friday-litellm/prometheus:"))
    own = "{job_name: own, static_configs: [{targets: [localhost:9090]}]}"
    config = f"{{global: {{scrape_interval: 1s}}, scrape_configs: [{own}]}}"
    start = f"echo '{config}' > /tmp/p.yml; exec prometheus --config.file=/tmp/p.yml --storage.tsdb.path=/data"
    (port,) = free_ports(1)
    container = stack.client.containers.run(
        image,
        ["bash", "-c", start],
        user="10001:10001",
        volumes={stack.volume: {"bind": "/data", "mode": "rw"}},
        ports={"9090/tcp": ("127.0.0.1", port)},
        mem_limit="256m",
        detach=True,
    )
    try:

        def looks(until: float) -> int:
            query = {"query": "count_over_time(up[1m])", "time": str(until)}
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/query", params=query, timeout=10)
            except httpx.TransportError:
                return 0
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:  # it reads what it wrote before
                return 0
            return sum(int(each["value"][1]) for each in answer.json()["data"]["result"])

        yield looks
    finally:
        container.remove(force=True)


def test_a_prometheus_that_ran_all_the_time_is_saved_as_one_that_was_killed(stack: Stack) -> None:
    stack.lose()
    volumes.fill(stack.client, stack.name, stack.volume, iter([header("data", folder=True, owner=(10001, 10001)), END]))
    with prometheus(stack) as looks:
        assert look_until(lambda: looks(time.time()), lambda found: found >= 10, 60, 1) >= 10
        moment = time.time()
        seen = looks(moment)
        stack.save()
    stack.lose()
    stack.restore("new")
    with prometheus(stack) as looks:
        # What it had not yet written when the copy was taken is at most the last look.
        assert look_until(lambda: looks(moment), lambda found: found >= seen - 1, 60, 1) >= seen - 1
