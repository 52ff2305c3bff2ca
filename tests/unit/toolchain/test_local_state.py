"""State, passphrase and secrets: made once, never changed, never lost."""

import json
import os
import secrets as random_source
from pathlib import Path

import pytest

from toolchain import files, paths
from toolchain.errors import SetupError
from toolchain.local_state import LOCAL_STATE, SECRET_PREFIXES


def make() -> dict[str, str]:
    LOCAL_STATE.run(lambda line: None)
    content: dict[str, str] = json.loads(paths.secrets_file().read_text(encoding="utf-8"))
    return content


def test_makes_everything_private_and_different() -> None:
    assert not LOCAL_STATE.is_done()
    made = make()
    assert LOCAL_STATE.is_done()
    assert list(made) == list(SECRET_PREFIXES)
    assert made["gatewayKey"].startswith("sk-")
    assert made["opsKey"].startswith("sk-")
    assert len(set(made.values())) == len(made)
    assert all(len(value) >= 43 for value in made.values())
    assert paths.state_dir().stat().st_mode & 0o777 == 0o700
    assert paths.secrets_file().stat().st_mode & 0o777 == 0o600
    assert paths.passphrase_file().stat().st_mode & 0o777 == 0o600
    assert len(paths.passphrase_file().read_text(encoding="utf-8")) == 43


def test_second_run_changes_no_value() -> None:
    made = make()
    passphrase = paths.passphrase_file().read_bytes()
    assert make() == made
    assert paths.passphrase_file().read_bytes() == passphrase


def test_open_files_are_made_private_again() -> None:
    make()
    paths.secrets_file().chmod(0o644)
    assert not LOCAL_STATE.is_done()
    make()
    assert paths.secrets_file().stat().st_mode & 0o777 == 0o600


def test_a_missing_key_is_added_and_the_rest_kept() -> None:
    paths.state_dir().mkdir(parents=True)
    paths.secrets_file().write_text(json.dumps({"gatewayKey": "sk-mine", "extra": "kept"}), encoding="utf-8")
    assert not LOCAL_STATE.is_done()
    made = make()
    assert made["gatewayKey"] == "sk-mine"
    assert made["extra"] == "kept"
    assert made.keys() >= SECRET_PREFIXES.keys()


@pytest.mark.parametrize("content", ["{", "[]", '"text"'])
def test_unreadable_secrets_are_named_and_left_alone(content: str) -> None:
    paths.state_dir().mkdir(parents=True)
    paths.secrets_file().write_text(content, encoding="utf-8")
    with pytest.raises(SetupError, match=r"secrets\.json.*JSON"):
        make()
    assert paths.secrets_file().read_text(encoding="utf-8") == content


def test_a_lost_passphrase_is_not_replaced_while_stacks_need_it() -> None:
    stacks = paths.pulumi_state() / ".pulumi" / "stacks" / "friday-litellm"
    stacks.mkdir(parents=True)
    (stacks / "local.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SetupError, match="local is encrypted with it"):
        make()
    assert not paths.passphrase_file().exists()


def test_a_file_in_the_place_of_the_folder_is_named() -> None:
    paths.state_dir().write_text("", encoding="utf-8")
    with pytest.raises(SetupError, match="FRIDAY_STATE_DIR"):
        make()


class Killed(BaseException):
    """Stands for the process's end at a chosen moment."""


@pytest.mark.parametrize("moment", range(1, 8))
def test_a_kill_at_any_moment_loses_nothing(moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the step at its n-th system call that writes; what is there afterwards must be whole and must stay."""
    calls = 0

    def counted(real: object) -> object:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal calls
            calls += 1
            if calls == moment:
                raise Killed
            return real(*args, **kwargs)  # type: ignore[operator]

        return call

    with monkeypatch.context() as patch:
        for owner, name in ((os, "fsync"), (Path, "hardlink_to"), (Path, "mkdir"), (files, "_sync_folder")):
            patch.setattr(owner, name, counted(getattr(owner, name)))
        with pytest.raises(Killed):
            make()
    kept = {path: path.read_bytes() for path in (paths.passphrase_file(), paths.secrets_file()) if path.exists()}
    made = make()
    assert LOCAL_STATE.is_done()
    assert made.keys() == SECRET_PREFIXES.keys()
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "secret"
    files.write_private(target, first := random_source.token_hex())
    with pytest.raises(FileExistsError):
        files.write_private(target, "second")
    assert target.read_text(encoding="utf-8") == first
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".secret")] == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("config:\n  a: 1\nencryptionsalt: v1:x\n", "config:\n  a: 1\n"),
        (
            "config:\n  a: {secure: v1:y}\nencryptionsalt: v1:x\n",
            "config:\n  a: {secure: v1:y}\nencryptionsalt: v1:x\n",
        ),
    ],
)
def test_a_salt_of_another_machine_goes_unless_a_secret_needs_it(
    text: str, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.delenv("FRIDAY_STATE_DIR")
    stack_file = tmp_path / "Pulumi.local.yaml"
    stack_file.write_text(text)
    LOCAL_STATE.run(lambda _: None)
    assert stack_file.read_text() == kept
    stack_file.write_text("encryptionsalt: v1:ours\n")
    LOCAL_STATE.run(lambda _: None)
    assert stack_file.read_text() == "encryptionsalt: v1:ours\n"
