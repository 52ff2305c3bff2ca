"""A machine that is lost, and then a host: what a backup brings back, on another machine."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from testing.project import Project
from toolchain import checkout, paths

pytestmark = [pytest.mark.engine, pytest.mark.beside]

PASSPHRASE = "four words that do not belong together"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack with two updates in its history."""
    made = Project.create(tmp_path_factory.mktemp("old"))
    with made.deployed():
        made.configure({"rolloutPercentage": 60})
        made.fridayctl("up", made.stack)
        yield made


@pytest.fixture(scope="module")
def passphrase_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("passphrase") / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    return str(file)


@pytest.fixture
def another_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another home folder; the tools that took minutes to build are lent to it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(paths.user_cache().parent))
    monkeypatch.setenv("HOME", str(tmp_path))


def another_machine(project: Project, folder: Path) -> None:
    """Let the project be a fresh clone, without the old one's state and stack file, which are gone."""
    root = folder / "checkout"
    checkout.copy_to(root)
    (root / ".venv").symlink_to((project.root / ".venv").resolve())
    shutil.rmtree(project.root)
    project.root = root
    assert not project.file.exists()


def history(project: Project) -> list[str]:
    return project.fridayctl("history", project.stack, "--json").out.splitlines()


def samples(project: Project, moment: float) -> int:
    """Return how many scrapes of the edge Prometheus has of the minute before a moment."""
    query = {"query": 'sum(count_over_time(up{job="edge"}[1m]))', "time": str(moment)}
    answer = httpx.get(f"{project.prometheus_url}/api/v1/query", params=query, timeout=20).json()
    return sum(int(each["value"][1]) for each in answer["data"]["result"])


@pytest.mark.usefixtures("another_home")
def test_pulumi_reads_on_another_machine_what_it_wrote_on_the_lost_one(
    passphrase_file: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = Project.create(tmp_path_factory.mktemp("old"))
    made.fridayctl("setup")
    made.pulumi("stack", "init", made.stack)
    secret = made.change_secrets("gatewayKey")["gatewayKey"]
    exported = made.pulumi("stack", "export", "-s", made.stack, "--show-secrets").out
    backup = str(tmp_path_factory.mktemp("usb") / "backup.tar")
    made.fridayctl("backup", made.stack, "-o", backup, "--passphrase-file", passphrase_file)
    another_machine(made, tmp_path_factory.mktemp("new"))
    made.fridayctl("restore", backup, "--passphrase-file", passphrase_file)
    made.fridayctl("setup")
    assert made.pulumi("config", "get", "gatewayKey", "-s", made.stack).out.strip() == secret
    assert made.pulumi("stack", "export", "-s", made.stack, "--show-secrets").out == exported


@pytest.mark.slow
@pytest.mark.usefixtures("another_home")
def test_a_stack_outlives_its_machine_and_its_host(
    project: Project, passphrase_file: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for user in range(20):
        assert project.chat(user).status == 200
    time.sleep(30)  # what is scraped of it
    moment = time.time()
    backup = tmp_path_factory.mktemp("usb") / "backup.tar"
    before, ran = history(project), {each.id for each in project.everything()}

    said = project.fridayctl("backup", "-o", str(backup), "--passphrase-file", passphrase_file)
    assert "done      " in said.out
    assert backup.stat().st_mode & 0o777 == 0o600
    assert {each.id for each in project.everything()} == ran, "reading left something behind"

    # The laptop is gone; the stack serves.
    another_machine(project, tmp_path_factory.mktemp("new"))
    said = project.fridayctl("restore", str(backup), "--passphrase-file", passphrase_file)
    assert f"friday-{project.stack}-prometheus-data is on unix:///var/run/docker.sock, and stays as it is" in said.out
    assert history(project) == before
    assert "nothing to change" in project.fridayctl("up", project.stack).out
    assert {each.id for each in project.everything()} == ran
    project.fridayctl("rollback", project.stack, "--level", "2", "--yes")
    assert project.chat(55).path == "direct"  # 50 % again

    # The host is gone too.
    for container in project.everything():
        container.remove(force=True, v=True)
    for network in project.networks():
        network.remove()
    for volume in project.volumes():
        volume.remove()
    another_machine(project, tmp_path_factory.mktemp("third"))
    said = project.fridayctl("restore", str(backup), "--passphrase-file", passphrase_file)
    assert f"friday-{project.stack}-prometheus-data: " in said.out
    project.fridayctl("up", project.stack)
    assert project.chat(55).path == "litellm"  # 60 %, as when it was saved
    assert samples(project, moment) >= 10
    assert samples(project, time.time()) >= 1
