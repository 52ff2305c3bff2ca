"""The stack files of the project are usable: valid but for the secrets, and they declare what they say."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings.source import NAMESPACE, SettingsError, from_pulumi, from_stack_file
from components.settings.stack import GENERATED_KEYS, SECRET_KEYS, StackSettings
from tests.unit.declared import CONTAINER, IMAGES, REMOTE_IMAGE, SERVICE, by_part, declare, plain
from tests.unit.given import SECRETS

ROOT = Path(__file__).resolve().parents[3]
# Named one by one: whoever works here may have stack files of their own beside them.
TEAMS = [ROOT / "Pulumi.staging.yaml", ROOT / "Pulumi.prod.yaml"]
EXAMPLES = [ROOT / "examples" / "Pulumi.container.yaml", ROOT / "examples" / "Pulumi.swarm.yaml"]
REAL = [*TEAMS, *EXAMPLES]
ALL = [ROOT / "Pulumi.local.yaml", *REAL]
REQUIRED = [key for key in SECRET_KEYS if key != "fridayOpenrouterApiKey"]
each_file = pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
each_real_file = pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)


def config(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["config"]
    return found


def with_secrets(path: Path) -> StackSettings:
    """Read a file as Pulumi hands it over, with secrets added where it has none."""
    strings = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config(path).items()}
    return from_pulumi({f"{NAMESPACE}:{key}": value for key, value in SECRETS.items()} | strings, "t", {})


def test_every_example_is_tested() -> None:
    assert sorted((ROOT / "examples").glob("*.yaml")) == sorted(EXAMPLES)


@each_real_file
def test_a_file_lacks_its_secrets_and_nothing_else(path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        from_stack_file(path, {})
    assert [problem.key for problem in caught.value.problems] == [f"{NAMESPACE}:{key}" for key in REQUIRED]


def test_the_local_file_needs_generated_secrets_only() -> None:
    assert from_stack_file(ROOT / "Pulumi.local.yaml", SECRETS).upstream == "simulator"


@each_real_file
@pytest.mark.parametrize("key", sorted({*REQUIRED} - {*GENERATED_KEYS}))
def test_a_file_lists_the_command_for_each_secret_of_the_users(path: Path, key: str) -> None:
    stack = "mine" if path in EXAMPLES else path.name.split(".")[1]
    lines = [line.removeprefix("#").split("(")[0].strip() for line in path.read_text().splitlines()]
    assert f"pulumi config set --secret {key} -s {stack}" in lines


@each_file
def test_the_file_and_what_pulumi_hands_over_are_read_alike(path: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    encrypted = {f"{NAMESPACE}:{key}": {"secure": f"v1:{key}"} for key in SECRETS}
    copy = tmp_path / path.name
    copy.write_text(yaml.safe_dump({"config": {**encrypted, **document["config"]}}))
    names = {name for name, info in StackSettings.model_fields.items() if info.alias in SECRET_KEYS}
    from_file = from_stack_file(copy, {}).model_dump(exclude=names)
    assert from_file == with_secrets(path).model_dump(exclude=names)


@each_file
def test_a_file_declares_every_part_that_it_names(path: Path) -> None:
    settings = with_secrets(path)
    wanted = {"friday": settings.friday.replicas, "litellm": settings.litellm.replicas}
    wanted |= dict.fromkeys(("edge", "alertmanager", "prometheus"), 1)
    if settings.litellm.replicas > 1:
        wanted |= {"redis": 1, "redis-exporter": 1}
    if settings.upstream == "simulator":
        wanted["simulator"] = 1
    wanted["edge-ports"] = 1
    recorder = declare(settings)
    if settings.engine == "swarm":
        services = recorder.of(SERVICE)
        found = {part: int(spec["mode"].get("replicated", {}).get("replicas", 1)) for part, spec in services.items()}
        assert recorder.of(CONTAINER) == {}
    else:
        found = {part: len(containers) for part, containers in by_part(recorder).items()}
        assert recorder.of(SERVICE) == {}
    assert found == wanted


@pytest.mark.parametrize("path", TEAMS, ids=lambda path: path.name)
def test_a_teams_stack_runs_nothing_that_is_not_pinned_by_digest(path: Path) -> None:
    recorder = declare(with_secrets(path))
    images = {each["name"] for each in recorder.of(REMOTE_IMAGE).values()}
    images |= {plain(plain(each["taskSpec"])["containerSpec"])["image"] for each in recorder.of(SERVICE).values()}
    assert images
    assert not images & set(IMAGES.values())
    assert all("@sha256:" in image for image in images)
