"""The docs name every setting, command and variable there is, and none that there is not."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import click
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cli.main import COMMANDS, cli
from components.catalogue import default_models
from components.settings.stack import GENERATED_KEYS, StackSettings
from tests.unit.declared import by_part, declare, env
from tests.unit.given import settings
from toolchain.environment import environment

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "MEASUREMENTS.md"),
    *sorted((ROOT / "docs").glob("*.md")),
]
STACK_FILES = [
    *(ROOT / f"Pulumi.{name}.yaml" for name in ("local", "staging", "prod")),
    *(ROOT / "examples").rglob("*.y*ml"),
]
# A row of a table whose first cell begins with lower case is a setting: | `edge.port` | 3000 | ... |
SETTING_ROW = re.compile(r"^\| `([a-z][^`]*)` \| ([^|]+) \|", re.MULTILINE)
EMPTY: tuple[object, ...] = ({}, ())


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (key, default as the docs write it) of every setting, nested ones by their path."""
    for name, info in model.model_fields.items():
        key = prefix + (info.alias or name)
        inner = model_in(info.annotation)
        if inner is not info.annotation:
            yield key, "generated" if key in GENERATED_KEYS else shown(info)
        if inner is not None:
            yield from keys(inner, f"{key}{_into(info.annotation)}.")


def _into(annotation: Any) -> str:
    """Return how the docs write the way into a setting: by any name of a map, by any entry of a list, or straight."""
    return next((into for kind, into in ((dict, ".*"), (tuple, "[]")) if _is_of(annotation, kind)), "")


def _is_of(annotation: Any, kind: type) -> bool:
    return get_origin(annotation) is kind or any(_is_of(part, kind) for part in get_args(annotation))


def model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part))), None)


def shown(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value == default_models():
        return "`components/models.yaml`"
    if value is None or value in EMPTY:
        return "none" if value is None else "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"`{value}`" if isinstance(value, str) else f"{value:g}"


def test_the_page_of_settings_has_each_one_with_its_default() -> None:
    assert dict(SETTING_ROW.findall(text(ROOT / "docs" / "SETTINGS.md"))) == dict(keys(StackSettings))


@pytest.mark.parametrize("friday", [{}, {"image": "registry.example/friday:1"}], ids=["reference", "own image"])
def test_every_variable_of_a_container_is_explained(friday: dict[str, str]) -> None:
    pages = "".join(map(text, PAGES))
    given = settings().friday.environment
    containers = by_part(declare(settings(friday={**friday, "environment": given}))).values()
    names = {name for found in containers for container in found for name in env(container)}
    assert len(names) > 30
    assert [name for name in sorted(names) if f"`{name}`" not in pages] == []


def test_every_variable_that_env_exports_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    page = text(ROOT / "docs" / "SETUP.md")
    assert [name for name in environment() if f"`{name}`" not in page] == []


def test_the_readme_has_every_command() -> None:
    listed = re.findall(r"^\| `\./fridayctl (\w+)", text(ROOT / "README.md"), re.MULTILINE)
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("path", [*PAGES, *STACK_FILES], ids=lambda path: path.name)
def test_no_page_names_a_command_that_is_not_there(path: Path) -> None:
    named = set(re.findall(r"\./fridayctl ([a-z]+)", text(path)))
    assert named - set(COMMANDS) == set()


def options_of(command: click.Command) -> set[str]:
    """Return the options of a command and of those below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return own.union({"--help", "-h"}, *map(options_of, below))


@pytest.mark.parametrize("path", [*PAGES, *STACK_FILES], ids=lambda path: path.name)
def test_no_page_names_an_option_that_is_not_there(path: Path) -> None:
    for verb, rest in re.findall(r"\./fridayctl ([a-z]+)([^`\n|#;&]*)", text(path)):
        command = cli.get_command(click.Context(cli), verb)
        assert command
        if command.context_settings.get("ignore_unknown_options"):
            continue  # what it does not know is pytest's
        named = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", re.sub(r'"[^"]*"', "", rest)))
        assert named - options_of(command) == set(), f"./fridayctl {verb}{rest}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_inside_the_project_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", text(path))
    for target, _, heading in (link.partition("#") for link in links if "://" not in link):
        page = (path.parent / target).resolve() if target else path
        assert page.exists(), target
        if heading:
            assert heading in [slug(line) for line in text(page).splitlines() if line.startswith("#")]


def slug(heading: str) -> str:
    """Return the anchor that a heading gets, as Git hosts make it."""
    return re.sub(r"[^\w -]", "", heading.lstrip("# ").lower()).replace(" ", "-")
