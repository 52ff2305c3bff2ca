"""`fridayctl adopt`: what the settings do not accept is named, and the stack file is written whole or not at all."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from ops.commands import adopt as command
from ops.commands.adopt import Adopted, AdoptRequest, adopt
from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import new_stack_file
from ops.stacks.new_stack_file import write_new
from tests.unit.ops.compose.composed import written

DIGEST = "registry.example/friday@sha256:" + "0" * 64
WHOLE = f"""
    services:
      friday:
        image: {DIGEST}
        ports: ["3000:3000"]
        environment: [JWT_SECRET=0123456789abcdef, DATABASE_URL=postgres://u:hunter2@db/x, A=b]
"""


@pytest.fixture(autouse=True)
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of stack files of its own."""
    folder = tmp_path / "stacks"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: friday-litellm\nruntime: python\n")
    for module in (command, new_stack_file):
        monkeypatch.setattr(module, "stack_file", lambda name: folder / f"Pulumi.{name}.yaml")
    monkeypatch.setattr(new_stack_file, "STACKS", folder)
    monkeypatch.setattr(command, "ensure_to_encrypt", lambda: None)
    monkeypatch.setattr(new_stack_file, "open_stack", lambda name, folder: SimpleNamespace(name=name))
    return folder


class Pulumi:
    """Stands in for `pulumi config set --secret`: it keeps what it was called with, and writes the secret's place."""

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at
        self.calls: list[tuple[list[str], str]] = []

    def __call__(self, line: list[str], *, cwd: Path, input: str, **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append((line, input))
        if self.fails_at in line:
            return subprocess.CompletedProcess(line, 255, "", "error: the key vault refuses\n")
        file = cwd / f"Pulumi.{line[line.index('--stack') + 1]}.yaml"
        with file.open("a", encoding="utf-8") as end:
            end.write(f"# {line[-5]} is encrypted\n")
        return subprocess.CompletedProcess(line, 0, "", "")


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    played = Pulumi(fails_at="-")
    monkeypatch.setattr(subprocess, "run", played)
    return played


def run(folder: Path, text: str = WHOLE, **options: Any) -> tuple[Adopted, list[str]]:
    told: list[str] = []
    request = AdoptRequest(written(folder, text), None, "t", "", {}, **options)
    return adopt(request, lambda label, line: told.append(f"{label} {line}")), told


def test_the_file_is_there_with_its_secrets_encrypted(tmp_path: Path, stacks: Path, pulumi: Pulumi) -> None:
    done, told = run(tmp_path)
    text = (stacks / "Pulumi.t.yaml").read_text()
    assert text.startswith(done.document)
    assert [line.split()[1] for line in text.splitlines()[-2:]] == ["jwtSecret", "fridaySecrets.DATABASE_URL"]
    assert [given for _, given in pulumi.calls] == ["0123456789abcdef", "postgres://u:hunter2@db/x"]
    assert ["--path" in line for line, _ in pulumi.calls] == [False, True]
    assert told == ["secrets encrypting jwtSecret (1 of 2)", "secrets encrypting fridaySecrets.DATABASE_URL (2 of 2)"]
    assert not any("hunter2" in " ".join([*line, *told, text]) for line, _ in pulumi.calls)
    assert sorted(path.name for path in stacks.iterdir()) == ["Pulumi.t.yaml", "Pulumi.yaml"]


def test_what_is_left_to_do_is_named(tmp_path: Path, pulumi: Pulumi) -> None:
    done, _ = run(tmp_path)
    assert [each.key for each in done.to_do] == ["friday-litellm:openrouterApiKey"]
    assert "pulumi config set --secret openrouterApiKey -s t" in done.to_do[0].fix
    tagged, _ = run(tmp_path, WHOLE.replace(DIGEST, "friday:1").replace("JWT_SECRET", "A2"), dry_run=True)
    assert [each.key for each in tagged.to_do] == [
        "friday-litellm",
        "friday-litellm:openrouterApiKey",
        "friday-litellm:jwtSecret",
    ]
    assert "friday.image should end with its digest" in tagged.to_do[0].expected


def test_values_that_the_settings_do_not_accept_are_left_out_and_named(tmp_path: Path) -> None:
    bad = WHOLE.replace("3000:3000", "'::x'").replace(
        "ports", "stop_grace_period: 1h\n        mem_limit: 1m\n        ports"
    )
    done, _ = run(tmp_path, bad.replace("\"'::x'\"", '"70000:3000"'), dry_run=True)
    settings = done.adoption.settings
    assert "memoryMb" not in settings["friday"]
    assert "stopGraceSeconds" not in settings["friday"]
    assert settings["edge"] == {"bindAddress": "0.0.0.0"}  # noqa: S104 - where compose publishes
    named = {each.what: each.why for each in done.adoption.not_placed if each.where == "Pulumi.t.yaml"}
    assert named.keys() == {"friday.memoryMb", "friday.stopGraceSeconds", "edge.port"}
    assert "should be a memory limit from 32 to 65536 MiB (got 1)" in named["friday.memoryMb"]


def test_of_a_list_or_a_map_the_one_entry_is_left_out() -> None:
    friday = {"writable": [{"path": "/a"}, {"path": "b"}], "networks": ["x", "-"], "environment": {"A": "1", "B": "2"}}
    for path, named, left in (
        ("friday.writable.1.path", "friday.writable: b", {"writable": [{"path": "/a"}]}),
        ("friday.networks.0", "friday.networks: x", {"networks": ["-"]}),
        ("friday.environment.A", "friday.environment.A", {"environment": {"B": "2"}}),
    ):
        key, settings = command._without({"friday": friday}, path.split("."))
        assert key == named
        assert settings["friday"] == {**friday, **left}
    words = {"friday": {"command": ["", "x"]}}
    assert command._without(words, ["friday", "command", "0"]) == ("friday.command", {"friday": {}})


def test_a_stack_file_that_is_there_stays_unless_it_may_be_replaced(
    tmp_path: Path, stacks: Path, pulumi: Pulumi
) -> None:
    file = stacks / "Pulumi.t.yaml"
    file.write_text("config: {}\nencryptionsalt: v1:kept\n")
    with pytest.raises(OperationError, match=r"Pulumi.t.yaml is there already") as caught:
        run(tmp_path)
    assert (caught.value.exit_code, pulumi.calls) == (EXIT_USAGE, [])
    done, _ = run(tmp_path, dry_run=True)
    assert done.document
    assert file.read_text() == "config: {}\nencryptionsalt: v1:kept\n"
    run(tmp_path, force=True)
    found = yaml.safe_load(file.read_text())
    assert found["encryptionsalt"] == "v1:kept"
    assert found["config"]["friday-litellm:friday"]["image"] == DIGEST


def test_a_file_that_is_no_yaml_may_be_replaced_too(stacks: Path, pulumi: Pulumi) -> None:
    (stacks / "Pulumi.t.yaml").write_text("config: [")
    write_new("t", "config: {}\n", {}, lambda _: None)
    assert (stacks / "Pulumi.t.yaml").read_text() == "config: {}\n"


def test_nothing_is_written_when_one_secret_cannot_be_encrypted(
    tmp_path: Path, stacks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", Pulumi(fails_at="fridaySecrets.DATABASE_URL"))
    with pytest.raises(OperationError, match=r"fridaySecrets.DATABASE_URL cannot be encrypted") as caught:
        run(tmp_path)
    assert (caught.value.exit_code, caught.value.details) == (EXIT_USAGE, "error: the key vault refuses")
    assert [path.name for path in stacks.iterdir()] == ["Pulumi.yaml"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, stacks: Path, pulumi: Pulumi) -> None:
    (stacks / "Pulumi.yaml").unlink()
    with pytest.raises(OperationError, match="cannot be written"):
        run(tmp_path)
