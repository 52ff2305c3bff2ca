"""The command line: help without side effects, exit codes, sentences instead of tracebacks."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli import main as cli
from cli.main import COMMANDS, main
from ops.errors import EXIT_USAGE, OperationError
from toolchain.errors import SetupError
from toolchain.paths import ROOT


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_explains_itself_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Examples:" in text or "Example" in text
    assert f"fridayctl {verb}" in text


def loaded(script: str, *libraries: str) -> set[str]:
    """Return which of some libraries a script has loaded at its end."""
    script += "; import sys; print('loaded', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(libraries) & set(done.stdout.rsplit("loaded", 1)[1].split())


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {verb} " in text for verb in COMMANDS)


def test_help_loads_none_of_the_heavy_libraries() -> None:
    assert not loaded("from cli.main import main; main(['up', '--help'])", "pulumi", "docker", "httpx")


def test_a_rollback_closes_the_gateway_before_it_loads_pulumi() -> None:
    assert not loaded("import cli.rollback, ops.commands.rollback", "pulumi", "pulumi_docker", "grpc")
    assert loaded("import ops.commands.restore", "pulumi", "grpc")


@pytest.mark.parametrize("arguments", [["nonsense"], ["up", "--nonsense"], ["up", "a/b"], ["up", "x" * 31]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == EXIT_USAGE
    assert "Error" in capsys.readouterr().err


def raising(error: BaseException) -> click.Command:
    def fail() -> None:
        raise error

    return click.Command("up", callback=fail)


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (OperationError("it broke", "fix it", details="seen"), 1, "it broke\nseen\n  fix: fix it"),
        (OperationError("it is wrong", "correct it", EXIT_USAGE), 2, "it is wrong\n  fix: correct it"),
        (SetupError("is missing", "Docker", "install it"), 2, "Docker: is missing\n  fix: install it"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_expected_failures_are_sentences_with_a_code(
    error: BaseException,
    code: int,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: raising(error))
    assert main(["up"]) == code
    assert expected in capsys.readouterr().err


def test_a_fresh_checkout_says_that_nothing_is_set_up(tmp_path: Path) -> None:
    """`status` of an unknown stack reads nothing but the list of files."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "status", "nosuch", "--json"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "FRIDAY_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == EXIT_USAGE
    assert "there is no Pulumi.nosuch.yaml" in done.stderr
    with pytest.raises(json.JSONDecodeError):
        json.loads(done.stdout)
    assert list(tmp_path.iterdir()) == []


def test_the_list_of_commands_has_whole_sentences_at_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = lines[lines.index("Commands:") + 1 :][: len(COMMANDS)]
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert [line for line in listed if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_80_columns(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []
