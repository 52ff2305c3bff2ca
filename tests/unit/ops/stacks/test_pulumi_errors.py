"""What becomes of the words with which Pulumi's command line fails."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import backups, stacks
from ops.stacks.pulumi_errors import errors_of, refused, wrong_passphrase

PASSPHRASE = "error: getting stack configuration: get stack secrets manager: incorrect passphrase"
BACKEND = 'error: unable to open state directory "file:///nowhere": stat /nowhere: no such file or directory'


def failed(stderr: str) -> auto.CommandError:
    return auto.CommandError(auto.CommandResult("", stderr, 255))


@pytest.mark.parametrize(
    ("stderr", "wrong"),
    [
        (PASSPHRASE, True),
        ("error: could not deserialize deployment: failed to decrypt: incorrect passphrase, please set ...", True),
        ("error: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /x: no such file or directory", True),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", True),
        (BACKEND, False),
        ("warning: incorrect passphrase is what a resource is called\nerror: update failed", False),
    ],
)
def test_a_wrong_passphrase_is_told_from_other_failures(stderr: str, wrong: bool) -> None:
    found = wrong_passphrase(failed(stderr))
    assert (found is not None) == wrong
    if found:
        assert found.exit_code == EXIT_USAGE
        assert "PULUMI_CONFIG_PASSPHRASE" in found.fix
        assert found.details == stderr


def test_only_the_lines_of_errors_are_kept() -> None:
    assert errors_of(failed(f"noise\n{BACKEND}\n  error: and this\n")) == f"{BACKEND}\nerror: and this"


@pytest.mark.parametrize("error", [failed(BACKEND), KeyError("result"), TypeError("None"), ValueError("not JSON")])
def test_what_pulumi_and_its_library_cannot_read_is_one_message(error: Exception) -> None:
    with pytest.raises(OperationError) as caught, refused("x cannot be read", "do y", lambda: Path("/the/file")):
        raise error
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.message == "x cannot be read: /the/file"
    assert caught.value.details == (
        BACKEND if isinstance(error, auto.CommandError) else f"{type(error).__name__}: {error}"
    )


@pytest.mark.parametrize("kind", [auto.StackNotFoundError, auto.ConcurrentUpdateError])
def test_a_stack_that_is_not_there_or_held_is_the_callers_to_word(kind: type[auto.CommandError]) -> None:
    with pytest.raises(kind), refused("x", "y"):
        raise kind(auto.CommandResult("", "", 255))


def opening(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(stacks, "environment", dict)
    monkeypatch.setattr(stacks, "open_workspace", lambda _: None)
    monkeypatch.setattr(auto.Stack, "select", refuse)
    monkeypatch.setattr(auto.Stack, "create_or_select", refuse)


@pytest.mark.parametrize("open_it", [stacks.open_stack, stacks.open_known])
def test_a_backend_that_is_not_there_is_told_with_the_mend(open_it: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opening(monkeypatch, failed(BACKEND))
    with pytest.raises(OperationError, match="the state of t cannot be opened") as caught:
        open_it("t")
    assert (caught.value.exit_code, caught.value.details) == (EXIT_USAGE, BACKEND)
    assert "PULUMI_BACKEND_URL" in caught.value.fix


def test_a_stack_that_the_backend_does_not_know_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    opening(monkeypatch, auto.StackNotFoundError(SimpleNamespace()))  # type: ignore[arg-type]
    assert stacks.open_known("t") is None


@pytest.mark.parametrize(
    ("file", "asked"), [("encryptionsalt: v1:x\nconfig: {}\n", ["file", "state"]), ("config: {}\n", ["state"])]
)
def test_the_passphrase_is_asked_for_without_writing_a_salt_into_the_stack_file(
    file: str, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pulumi stack history --show-secrets` adds a salt to a file that has none."""
    (tmp_path / "Pulumi.t.yaml").write_text(file)
    monkeypatch.setattr(stacks, "stack_file", lambda name: tmp_path / f"Pulumi.{name}.yaml")
    monkeypatch.setattr(backups, "require_sound", lambda _: None)
    seen: list[str] = []

    def history(*, show_secrets: bool, **_: Any) -> None:
        seen.append("file" if show_secrets else "nothing that is encrypted")

    opened = SimpleNamespace(name="t", history=history, export_stack=lambda: seen.append("state"))
    stacks.require_readable(opened)  # type: ignore[arg-type]
    assert seen == asked
