"""`fridayctl test`: every check and test, the same run as CI."""

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from cli.arguments import line
from toolchain.paths import ROOT

EPILOG = """\b
Examples:
  ./fridayctl test                          everything
  ./fridayctl test --no-engine              only what needs no Docker engine
  ./fridayctl test tests/unit -k settings   these tests only, without the checkers and coverage limits

\b
Without a Docker engine everything that needs none runs, what was left out is said, and the exit code is 0;
with CI=true in the environment that is a failure.
"""

# Tools that `python -m` cannot start.
_SCRIPTS = {"lint-imports": [str(Path(sys.executable).with_name("lint-imports"))]}
# Percent of lines and branches that tests must reach, by part.
COVERAGE = {"": 80, "components/*": 90, "cli/*,ops/*": 90, "friday/llm/*": 90}


@click.command("test", epilog=EPILOG, context_settings={"ignore_unknown_options": True})
@click.option("--no-engine", is_flag=True, help="Leave out what needs a Docker engine.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def test_command(no_engine: bool, pytest_arguments: tuple[str, ...]) -> int:
    """Set up what tests need, then run the checkers and all tests (or PYTEST_ARGUMENTS)."""
    missing = "left out by --no-engine" if no_engine else _engine_missing()
    if missing and not no_engine and os.environ.get("CI") == "true":
        line("failed", f"CI needs a Docker engine: {missing}")
        return 1
    selection = ["-m", "not engine"] if missing else []
    if pytest_arguments:
        return _run("tests", "pytest", *selection, *pytest_arguments)
    failed = [name for name, ok in _everything(selection) if not ok]
    if missing:
        line("left out", f"tests that need a Docker engine ({missing})")
    line("failed" if failed else "passed", ", ".join(failed) or "every check and test that was run")
    return 1 if failed else 0


def _everything(selection: list[str]) -> list[tuple[str, bool]]:
    results = [
        ("ruff check", _run("lint", "ruff", "check", ".") == 0),
        ("ruff format", _run("format", "ruff", "format", "--check", ".") == 0),
        ("mypy", _run("types", "mypy") == 0),
        ("import-linter", _run("imports", "lint-imports", "--no-cache", "--no-logo") == 0),
    ]
    results.append(("tests", _run("tests", "coverage", "run", "-m", "pytest", *selection) == 0))
    if not selection:
        # Without an engine the lines that need one cannot be reached, so their share says nothing.
        results += [(f"coverage of {part or 'everything'}", _covered(part, share)) for part, share in COVERAGE.items()]
    return results


def _covered(part: str, share: int) -> bool:
    only = [f"--include={part}"] if part else []
    return _run("coverage", "coverage", "report", f"--fail-under={share}", *only) == 0


def _run(label: str, tool: str, *arguments: str) -> int:
    line(label, " ".join([tool, *arguments]))
    started = time.monotonic()
    start = _SCRIPTS.get(tool, [sys.executable, "-m", tool])
    code = subprocess.run([*start, *arguments], cwd=ROOT, check=False).returncode
    line("", f"exit code {code} after {time.monotonic() - started:.0f} s")
    return code


def _engine_missing() -> str:
    """Set up the engine, the tools and the images; return why there is no engine, or "" when all is there."""
    from ops.commands.setup import ensure  # noqa: PLC0415
    from toolchain.docker_engine import DockerEngine  # noqa: PLC0415 - only when tests are run
    from toolchain.errors import SetupError  # noqa: PLC0415
    from toolchain.runner import run_steps  # noqa: PLC0415

    try:
        run_steps([DockerEngine()])
    except SetupError as error:
        return str(error)
    ensure()
    return ""
