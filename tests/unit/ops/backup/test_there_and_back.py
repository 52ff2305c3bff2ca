"""A backup of a stack and its way back: what is taken, what is refused, and that a kill leaves the old or the new."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.settings.source import SettingsError
from ops.backup import archive
from ops.backup.archive import Backup
from ops.commands import backup as backup_command
from ops.deployment import Deployment
from ops.errors import EXIT_FAILED
from ops.hosts.volumes import MovingError
from ops.stacks import pulumi_files, stack_file
from tests.unit.ops.backup.backups import PASSPHRASE
from tests.unit.ops.backup.machines import SETTINGS, STATE, Machine, Machines, put_back, quiet, refused, saved
from toolchain import checkout, versions


def test_a_new_machine_becomes_as_the_old_one(machine: Machines, file: Path) -> None:
    old = machine("old").add("t").add("u", updates=3)
    saved(file)
    new = machine("new")
    assert put_back(file).kept is None
    assert new.seen() == old.seen()
    modes = {path.name: path.stat().st_mode & 0o777 for path in new.state.rglob("*") if path.is_file()}
    assert {mode for name, mode in modes.items() if name != "restoring.lock"} == {0o600}
    assert new.state.stat().st_mode & 0o777 == 0o700


def test_what_set_up_has_made_for_no_stack_is_replaced_and_kept(machine: Machines, file: Path) -> None:
    old = machine("old").add()
    saved(file)
    new = machine("new")
    new.state.mkdir()
    (new.state / "passphrase").write_text("of a set-up")
    kept = put_back(file).kept
    assert kept
    assert (kept / "passphrase").read_text() == "of a set-up"
    shutil.rmtree(kept.parent)
    assert new.seen() == old.seen()


def test_only_the_named_stacks_are_saved(machine: Machines, file: Path) -> None:
    machine("old").add("t").add("u")
    saved(file, "u")
    new = machine("new")
    put_back(file)
    assert [path.name for path in new.root.iterdir()] == ["Pulumi.u.yaml"]


def test_a_stack_beside_it_stays(machine: Machines, file: Path) -> None:
    old = machine("old").add("t").add("u")
    saved(file, "t")
    before = old.seen()
    for path in (old.root / "Pulumi.t.yaml", old.path("stacks", "friday-litellm", "t.json")):
        path.unlink()
    shutil.rmtree(old.path("history", "friday-litellm", "t"))
    put_back(file)
    assert old.seen() == before


def test_a_state_that_differs_is_replaced_only_when_told(machine: Machines, file: Path) -> None:
    here = machine("old").add(updates=2)
    before = here.seen()
    saved(file)
    here.add(updates=3, percentage=60)
    newer = here.seen()
    said = refused(lambda: put_back(file))
    assert "Pulumi.t.yaml has changes that are neither in the backup nor committed" in said
    assert "the state of t: 3 updates, the last of " in said
    assert " here, 2 updates, the last of " in said
    assert "--replace" in said
    assert here.seen() == newer

    kept = put_back(file, replace=True).kept
    assert kept
    assert (kept / "stacks/t/state.json").read_text() == newer["state/pulumi/.pulumi/stacks/friday-litellm/t.json"]
    assert (kept / "stacks/t/history/t-2.history.json").exists()
    shutil.rmtree(kept.parent)
    assert here.seen() == before


def test_what_is_here_already_is_left(machine: Machines, file: Path) -> None:
    here = machine("old").add()
    saved(file)
    before = here.seen()
    assert put_back(file).kept is None
    assert here.seen() == before


def test_another_passphrase_would_lock_another_stack_out(machine: Machines, file: Path) -> None:
    machine("old").add("t")
    saved(file)
    new = machine("new").add("u")
    before = new.seen()
    said = refused(lambda: put_back(file, replace=True))
    assert "u: here with another passphrase than the backup's" in said
    assert new.seen() == before


def test_states_in_files_have_no_place_in_another_backend(
    machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("old").add()
    saved(file)
    new = machine("new")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    assert "PULUMI_BACKEND_URL names another backend" in refused(lambda: put_back(file))
    assert new.seen() == {}


def test_a_state_elsewhere_is_not_in_it_and_is_named(
    machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("old").add()
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "mine")
    assert "name the stacks" in refused(lambda: saved(file))
    saved(file, "t")
    manifest = Backup(file, PASSPHRASE).check()
    assert sorted(manifest.files) == ["stacks/t/settings.yaml", "state/secrets.json"]
    assert [text.split(",")[0] for text in manifest.stacks[0].left_out] == ["state and history", "the passphrase"]


def test_files_that_the_settings_name_are_listed(machine: Machines, file: Path) -> None:
    here = machine("old").add()
    (here.root / "hooks").mkdir()
    with (here.root / "Pulumi.t.yaml").open("a") as settings:
        settings.write("  friday-litellm:ssh: {identityFile: /keys/id, knownHostsFile: /keys/known}\n")
    saved(file)
    left_out = Backup(file, PASSPHRASE).check().stacks[0].left_out
    assert left_out == ("/keys/id (ssh.identityFile)", "/keys/known (ssh.knownHostsFile)", "the hooks")


@pytest.mark.parametrize("content", ['{"version": 3, "checkpoi', "{}"])
def test_a_damaged_state_is_not_worth_a_backup(machine: Machines, file: Path, content: str) -> None:
    here = machine("old").add()
    here.path("stacks", "friday-litellm", "t.json").write_text(content)
    assert "the state of t " in refused(lambda: saved(file))
    assert not file.exists()


def test_a_stack_that_is_updated_is_left_alone(machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine("old").add()
    saved(file)
    monkeypatch.setattr(pulumi_files, "holder", lambda _: "ann@desk, process 7")
    assert "held by ann@desk, process 7" in refused(lambda: saved(file.with_name("other")), EXIT_FAILED)
    assert "held by ann@desk, process 7" in refused(lambda: put_back(file), EXIT_FAILED)


def test_an_update_that_comes_between_is_noticed(
    machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = machine("old").add()
    add = backup_command._add

    def and_update(writer: Any, placed: Any) -> None:
        add(writer, placed)
        if placed.path.name == "t.json":
            placed.path.write_text(json.dumps(STATE | {"number": 99}))

    monkeypatch.setattr(backup_command, "_add", and_update)
    assert "it was updated while it was saved" in refused(lambda: saved(file), EXIT_FAILED)
    assert list(file.parent.iterdir()) == [here.folder]


def test_it_writes_over_nothing(machine: Machines, file: Path) -> None:
    machine("old").add()
    file.write_text("mine")
    assert "is there already" in refused(lambda: saved(file))
    assert file.read_text() == "mine"
    assert "there is no folder" in refused(lambda: saved(file.parent / "gone" / "b"))
    assert not (file.parent / "gone").exists()


def test_no_room_is_said_and_leaves_nothing(machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine("old").add()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "write", full)
    assert "no space left on device" in refused(lambda: saved(file))
    assert list(file.parent.iterdir()) == [here.folder]


def test_a_full_machine_is_left_as_it_was(machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine("old").add()
    saved(file)
    new = machine("new")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 9))
    assert "no space left for the backup: 0.0 MB free" in refused(lambda: put_back(file))
    assert new.seen() == {}


def test_a_newer_pulumi_is_refused(machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine("old").add()
    monkeypatch.setattr(versions, "PULUMI", "99.0.0")
    saved(file)
    monkeypatch.undo()
    new = machine("new")
    assert "was written with Pulumi 99.0.0" in refused(lambda: put_back(file))
    assert new.seen() == {}


def test_settings_that_are_none_today_change_nothing(machine: Machines, file: Path) -> None:
    old = machine("old").add()
    saved(file)
    (old.root / "Pulumi.t.yaml").write_text("config:\n  friday-litellm:rolloutPercentage: '101'\n")
    other = file.with_name("other")
    with pytest.MonkeyPatch.context() as patch:  # an earlier commit took them
        patch.setattr(Deployment, "open", lambda name, _: Deployment(name, stack_file.read_file(_valid(old)), quiet))
        saved(other)
    new = machine("new")
    with pytest.raises(SettingsError, match="rolloutPercentage"):
        put_back(other)
    assert new.seen() == {}


def _valid(machine: Machine) -> Path:
    path = machine.folder / "Pulumi.valid.yaml"
    path.write_text(SETTINGS.format(50))
    return path


def test_files_that_move_are_read_again(machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine("old").add()
    tries = []

    def moving(*_: Any, metrics: bool) -> Any:
        tries.append(metrics)
        raise MovingError("the files of v were rearranged while they were read", "again")

    monkeypatch.setattr(backup_command, "_save_stack", moving)
    assert "rearranged" in refused(lambda: saved(file), EXIT_FAILED)
    assert len(tries) == 3
    assert not file.exists()


def test_a_committed_stack_file_is_in_git(machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine("old").add(percentage=60)
    saved(file)
    new = machine("new")
    (new.root / "Pulumi.t.yaml").write_text(SETTINGS.format(10))
    monkeypatch.setattr(checkout, "uncommitted", lambda _: [])
    kept = put_back(file).kept
    assert kept
    assert "'10'" in (kept / "stacks/t/settings.yaml").read_text()
    assert "'60'" in (new.root / "Pulumi.t.yaml").read_text()
