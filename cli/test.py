"""`fridayctl test`: every check and test, the same run as CI."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.arguments import line
from cli.tables import show_table
from testing.engines import ENGINES
from toolchain.paths import ROOT

if TYPE_CHECKING:
    from testing.tests_engine import Place

EPILOG = """\b
Examples:
  ./fridayctl test                 the checkers and the tests, no slow ones
  ./fridayctl test --all           the slow ones too
  ./fridayctl test --no-engine     only what needs no Docker engine
  ./fridayctl test --engine 29     on Docker 29, not on this machine's engine
  ./fridayctl test tests/unit -k settings    these tests only, slow ones too,
                                   without checkers and coverage limits

Slow are: a Swarm of three hosts, killed hosts and daemons, a full disk, and
every fault of the simulator on its way through a stack (the normal run has
one of each kind), and the scans for known vulnerabilities. A scan whose source
is not reached is skipped, with the reason.

The engines are 20 (20.10), 26 (26.1), 28 (28.5) and 29: each a host in a
container, which is removed when the tests have ended. Its image is built once;
29 also builds dockerd once, which takes a quarter of an hour. This needs root.

Without a Docker engine everything that needs none runs, the output says what
was left out, and the exit code is 0. With CI=true in the environment that is
a failure.
"""

CHECKERS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "import-linter": ["lint-imports", "--no-cache", "--no-logo"],
}
# Tools that `python -m` cannot start.
_SCRIPTS = {"lint-imports": [str(Path(sys.executable).with_name("lint-imports"))]}
# Percent of lines and branches that tests must reach, by part.
COVERAGE = {"": 80, "components/*": 90, "cli/*,ops/*": 90, "friday/llm/*": 90}
SIDE_BY_SIDE = "tests side by side"
ONE_BY_ONE = "tests one by one"


@dataclass(frozen=True)
class Result:
    """What became of a checker or a group of tests, and the seconds that it took."""

    name: str
    passed: bool
    seconds: float


@click.command("test", epilog=EPILOG, context_settings={"ignore_unknown_options": True})
@click.option("--all", "slow_too", is_flag=True, help="Run the slow tests too.")
@click.option("--no-engine", is_flag=True, help="Leave out what needs a Docker engine.")
@click.option("--engine", type=click.Choice(list(ENGINES)), help="Run the tests on an engine made for them.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def test_command(slow_too: bool, no_engine: bool, engine: str | None, pytest_arguments: tuple[str, ...]) -> int:
    """Run the checkers and the tests.

    What tests need is set up first. With PYTEST_ARGUMENTS only pytest runs.
    """
    if engine and no_engine:
        raise click.UsageError("--engine and --no-engine exclude each other")
    if engine:
        _require_engine_of_own()
    missing = "left out by --no-engine" if no_engine else _engine_missing()
    wants_engine = "--engine" if engine else "CI" if os.environ.get("CI") == "true" and not no_engine else ""
    if missing and wants_engine:
        line("failed", f"{wants_engine} needs a Docker engine: {missing}")
        return 1
    results = _checked_beside_set_up(checkers={} if pytest_arguments else CHECKERS, set_up=not missing)
    with _on(engine) as place:
        if pytest_arguments:
            selection = ["-m", "not engine"] if missing else []
            return 0 if _run("tests", ["pytest", *selection, *pytest_arguments], place=place).passed else 1
        results += _tests(place, with_engine=not missing, slow_too=slow_too)
    rows = [(each.name, "passed" if each.passed else "failed", f"{each.seconds:.0f}") for each in results]
    show_table(("check", "result", "seconds"), rows)
    if missing:
        line("left out", f"tests that need a Docker engine ({missing})")
    if not slow_too:
        line("left out", "slow tests (--all runs them too)")
    failed = [each.name for each in results if not each.passed]
    line("failed" if failed else "passed", ", ".join(failed) or "every check and test that was run")
    return 1 if failed else 0


def _require_engine_of_own() -> None:
    """Raise SetupError where tests cannot have an engine of their own, before anything is set up."""
    from testing.tests_engine import require  # noqa: PLC0415 - only when tests are run on another engine

    require()


def _on(engine: str | None) -> AbstractContextManager["Place | None"]:
    """Return what makes an engine for the tests, and removes it; without one they use the engine of this machine."""
    if engine is None:
        return nullcontext()
    from testing.tests_engine import tests_engine  # noqa: PLC0415 - only when tests are run on another engine

    line("engine", f"making a host with Docker {engine} for the tests")
    return tests_engine(engine)


def _checked_beside_set_up(*, checkers: Mapping[str, list[str]], set_up: bool) -> list[Result]:
    """Run the checkers side by side, and meanwhile make what tests need: they read the checkout only.

    Set-up runs in the main thread, so that Ctrl-C reaches it. Raises SetupError when the checkers have ended.
    """
    from ops.commands.setup import ensure  # noqa: PLC0415 - only when tests are run

    with ThreadPoolExecutor(1) as pool:
        checked = pool.submit(_run_side_by_side, checkers)
        if set_up:
            ensure()
        return checked.result()


def _tests(place: "Place | None", *, with_engine: bool, slow_too: bool) -> list[Result]:
    """Run the tests that can run side by side, then those that want the machine alone."""
    chosen = "not engine or (beside and not slow)" if with_engine else "not engine"
    if not slow_too:
        chosen = f"({chosen}) and not slow"
    shared = ["--numprocesses=logical", "--maxprocesses=8", "--cov", "--cov-report="]
    results = [_run(SIDE_BY_SIDE, ["pytest", "-m", chosen, *shared], place=place)]
    # Unit tests reach these shares alone, so they hold without an engine too.
    limits = {
        f"coverage of {part or 'everything'}": ["coverage", "report", f"--fail-under={share}", *_only(part)]
        for part, share in COVERAGE.items()
    }
    results += _run_side_by_side(limits)
    if with_engine:
        chosen = "engine and (slow or not beside)" if slow_too else "engine and not beside and not slow"
        results.append(_run(ONE_BY_ONE, ["pytest", "-m", f"{chosen} and not proof"], place=place))
    return results


def _only(part: str) -> list[str]:
    return [f"--include={part}"] if part else []


def _run_side_by_side(commands: Mapping[str, list[str]]) -> list[Result]:
    """Run short commands all at once; each one's output is printed as a whole."""
    with ThreadPoolExecutor(len(commands) or 1) as pool:
        return list(pool.map(lambda name: _run(name, commands[name], apart=True), commands))


def _run(name: str, command: list[str], *, apart: bool = False, place: "Place | None" = None) -> Result:
    """Run a tool; its output is printed as it comes, or `apart` from others when the tool has ended."""
    prefix, environment = (place.prefix, place.environment) if place else ([], {})
    tool, *arguments = command
    if not apart:
        line(name, " ".join(command))
    started = time.monotonic()
    done = subprocess.run(
        [*prefix, *_SCRIPTS.get(tool, [sys.executable, "-m", tool]), *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
        stdout=subprocess.PIPE if apart else None,
        stderr=subprocess.STDOUT if apart else None,
        text=True,
    )
    seconds = time.monotonic() - started
    if apart:
        click.echo(f"{name}: {' '.join(command)}\n{done.stdout.rstrip()}\n")
    return Result(name, done.returncode == 0, seconds)


def _engine_missing() -> str:
    """Set up the engine; return why there is none, or ""."""
    from toolchain.docker_engine import DOCKER_ENGINE  # noqa: PLC0415 - only when tests are run
    from toolchain.errors import SetupError  # noqa: PLC0415
    from toolchain.runner import run_steps  # noqa: PLC0415

    try:
        run_steps([DOCKER_ENGINE])
    except SetupError as error:
        return str(error)
    return ""
