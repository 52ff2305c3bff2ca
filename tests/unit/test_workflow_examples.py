"""The workflows of examples/github: a linter accepts them, and they call what there is."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from cli.main import cli
from testing import go_tool
from toolchain import versions
from toolchain.paths import ROOT

WORKFLOWS = sorted((ROOT / "examples" / "github").glob("*.yml"))


@pytest.fixture(scope="module")
def linter() -> Path:
    """The linter of GitHub's workflows."""
    return go_tool.ensure("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", lambda _: None)


def lint(linter: Path, path: Path) -> subprocess.CompletedProcess[str]:
    # Neither of the two other linters that it would ask is there on every machine.
    command = [str(linter), "-no-color", "-shellcheck=", "-pyflakes=", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.timeout(900)  # where the linter has to be built first
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_linter_accepts_it(path: Path, linter: Path) -> None:
    done = lint(linter, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("${{ runner.temp }}", "${{ runner.tmp }}", 'property "tmp" is not defined'),
        ("python-version:", "pythonversion:", 'input "pythonversion" is not defined in action'),
        ("runs-on: ubuntu-latest", "runs-on: ubuntu-12.04", 'label "ubuntu-12.04" is unknown'),
    ],
)
def test_the_linter_finds_what_is_wrong(right: str, wrong: str, said: str, linter: Path, tmp_path: Path) -> None:
    text = (ROOT / "examples" / "github" / "preview.yml").read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / "preview.yml"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    done = lint(linter, path)
    assert done.returncode == 1
    assert said in done.stdout


def test_the_preview_runs_the_pinned_pulumi_and_the_locked_packages() -> None:
    text = (ROOT / "examples" / "github" / "preview.yml").read_text(encoding="utf-8")
    assert re.findall(r"pulumi-version: (\S+)", text) == [versions.PULUMI]
    assert "--require-hashes --no-deps -r requirements/runtime.txt" in text


def test_the_promotion_is_one_that_the_command_takes() -> None:
    document = yaml.safe_load((ROOT / "examples" / "github" / "promote.yml").read_text(encoding="utf-8"))
    scripts = [step["run"] for step in document["jobs"]["promote"]["steps"] if "docker run" in step.get("run", "")]
    (words,) = re.findall(r"promote prod .*", scripts[0])
    verb, *arguments = shlex.split(re.sub(r"\$\{SIGNED:\+(.*)\}", r"\1", words))
    command = cli.get_command(click.Context(cli), verb)
    assert command
    parsed = command.make_context(verb, arguments).params
    assert (parsed["stack"], parsed["yes"], parsed["wait_seconds"]) == ("prod", True, 900)
    assert parsed["signed_off_by"] == "$SIGNED"
