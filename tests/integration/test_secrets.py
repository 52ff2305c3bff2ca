"""Secrets of the user's own hand: generated ones are kept, a changed one loses no request."""

import json
import time
from collections.abc import Iterator

import httpx
import pytest
import yaml

from testing.project import ROOT, Project
from tests.integration import secret_places
from tests.integration.load import Load

pytestmark = [pytest.mark.engine, pytest.mark.beside]

GENERATE = """
from ops.stacks.stack_secrets import generate_missing
from ops.stacks.stacks import open_stack
generate_missing(open_stack("{stack}"), print)
"""
WRITE = """
from ops.stacks.stack_config import settings_of, write_settings
from ops.stacks.stacks import open_stack
opened = open_stack("{stack}")
today = settings_of(opened)
quota = "friday-litellm:quota"
changed = {{quota: '{{"requestsPerDay":1000,"requestsPerMinute":7}}', "friday-litellm:models": "[]"}}
write_settings(opened, {{**today, **changed}})
print(settings_of(opened)[quota])
write_settings(opened, today)
print(settings_of(opened) == today)
"""
EVERY = """
import json
from pydantic import BaseModel, SecretStr
from ops.deployment import Deployment

def walk(value, path):
    if isinstance(value, SecretStr):
        yield path, value.get_secret_value()
    fields = dict(value) if isinstance(value, BaseModel) else value if isinstance(value, dict) else {{}}
    for name, inner in fields.items():
        yield from walk(inner, f"{{path}}.{{name}}".strip("."))

print(json.dumps(dict(walk(Deployment.open("{stack}", print).decrypted_settings, ""))))
"""
UNDER_LOAD = ("gatewayKey", "opsKey", "redisPassword", "jwtSecret", "fridaySecrets.SMTP_PASSWORD")
"""Those that are changed in the test below; all others are in test_every_secret_changed.py."""
GENERATED = ("gatewayKey", "edgeKey", "opsKey", "redisPassword")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project.create(tmp_path_factory.mktemp("secrets"))
    try:
        made.fridayctl("setup")
        yield made
    finally:
        made.remove()


def test_the_first_update_generates_what_nobody_gave_and_a_second_keeps_it(stack: Project) -> None:
    stack.pulumi("stack", "init", stack.stack)
    with stack.configured(upstream="openrouter"):
        stack.change_secrets("openrouterApiKey", "jwtSecret")
        refused = stack.pulumi("preview", "-s", stack.stack, code=1)  # plain Pulumi generates nothing
        assert all(f"friday-litellm:{name}: should be a secret" in refused.text for name in GENERATED)
        assert f"./fridayctl up {stack.stack} generates it" in refused.text
        told = stack.python(GENERATE.format(stack=stack.stack)).splitlines()
        assert [line.split(",")[0] for line in told] == [f"generated {name}" for name in GENERATED]
        made = stack.file.read_text()
        shown = {name: stack.pulumi("config", "get", name, "-s", stack.stack).out.strip() for name in GENERATED}
        assert len(set(shown.values())) == len(GENERATED)
        assert not any(value in made for value in shown.values())
        assert stack.python(GENERATE.format(stack=stack.stack)) == ""
        assert stack.file.read_text() == made
        stack.pulumi("preview", "-s", stack.stack)


def test_secrets_are_changed_under_load_without_a_lost_request_or_a_call_past_the_gateway(stack: Project) -> None:
    stack.configure({"litellm": {**stack.settings.get("litellm", {}), "replicas": 2}})
    stack.fridayctl("up", stack.stack)
    edge = [container.id for container in stack.containers("edge")]
    changed = stack.change_secrets(*UNDER_LOAD)
    with Load(stack, per_second=20) as load:
        stack.fridayctl("up", stack.stack)
        time.sleep(1)
    assert load.failures == []
    assert {answer.path for answer in load.answers} == {"litellm"}
    assert [container.id for container in stack.containers("edge")] == edge
    before = json.loads((stack.root / ".state" / "secrets.json").read_text())["gatewayKey"]
    assert [models(stack, key) for key in (before, changed["gatewayKey"])] == [401, 200]
    stack.fridayctl("verify", stack.stack)


def test_no_secret_is_anywhere_but_in_the_files_of_those_who_need_it(stack: Project) -> None:
    """Of those that the stack has now, and of those that were changed: both are in its history."""
    now: dict[str, str] = json.loads(stack.python(EVERY.format(stack=stack.stack)))
    before = json.loads((stack.root / ".state" / "secrets.json").read_text())
    secrets = now | {f"the former {name}": value for name, value in before.items()}
    assert now["friday_secrets.SMTP_PASSWORD"]
    found = secret_places.hits(now, secret_places.files_of_containers(stack))
    assert found >= {
        *(("litellm", name) for name in ("gateway_key", "edge_key", "ops_key", "redis_password", "openrouter_api_key")),
        *(("friday", name) for name in ("friday_openrouter_api_key", "jwt_secret", "friday_secrets.SMTP_PASSWORD")),
        *(("edge", "edge_key"), ("redis", "redis_password"), ("prometheus", "ops_key")),
    }
    assert ("friday", "gateway_key") not in found
    # What is surely there is found in each kind of place: else nothing was looked at.
    for places, there in (
        (secret_places.processes, "PATH=/"),
        (secret_places.engine, "friday-litellm.part"),
        (secret_places.pulumi, "rolloutPercentage"),
        (secret_places.commands, "litellm"),
    ):
        hits = secret_places.hits(secrets | {"there": there}, places(stack))
        assert "there" in {name for _, name in hits}
        assert {hit for hit in hits if hit[1] != "there"} == set()
    # Images are built from a checkout, before there is any stack: what they could hold are that one's.
    builders = ROOT / ".state" / "secrets.json"
    built_with = json.loads(builders.read_text()) if builders.exists() else {}
    hits = secret_places.hits(secrets | built_with | {"there": "Package: libc6"}, secret_places.layers(stack))
    assert {name for _, name in hits} == {"there"}


def models(stack: Project, key: str) -> int:
    headers = {"authorization": f"Bearer {key}"}
    return httpx.get(f"{stack.gateway_url}/v1/models", headers=headers, timeout=20).status_code


def test_what_is_written_into_the_stack_file_leaves_secrets_comments_and_types_alone(stack: Project) -> None:
    with stack.file.open("a", encoding="utf-8") as file:
        file.write("# a word at the end\n")
    before = stack.file.read_text()
    assert "secure:" in before
    written, same = stack.python(WRITE.format(stack=stack.stack)).splitlines()
    assert (written, same) == ('{"requestsPerDay":1000,"requestsPerMinute":7}', "True")
    assert yaml.safe_load(stack.file.read_text()) == yaml.safe_load(before)
    assert "# a word at the end" in stack.file.read_text()
