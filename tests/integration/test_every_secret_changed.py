"""Every secret that a stack file may hold is changed under load without a lost request.

Which there are is read off the settings: one that is new fails here until it is changed in a test.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from images import tags
from testing import grafana_image
from testing.ports import free_ports
from testing.project import Project
from testing.secret_settings import secret_paths
from tests.integration import secret_places
from tests.integration.load import Load
from tests.integration.test_secrets import UNDER_LOAD

pytestmark = [pytest.mark.engine, pytest.mark.beside]

AT_THE_PROVIDER = ("openrouterApiKey", "fridayOpenrouterApiKey")
"""In test_provider_keys_changed.py, where OpenRouter is not exchanged with them, as the simulator else is."""
ELSEWHERE: Mapping[str, tuple[str, str]] = {
    "edgeKey": ("edge-key-of-before-0123456789", "edge-key-of-after-0123456789"),
    "grafanaPassword": ("grafana-password-of-before", "grafana-password-of-after"),
    "notify.slack.url": ("http://127.0.0.1:9/slack-of-before", "http://127.0.0.1:9/slack-of-after"),
    "notify.webhook.url": ("http://127.0.0.1:9/hook-of-before", "http://127.0.0.1:9/hook-of-after"),
    "notify.webhook.token": ("webhook-token-of-before", "webhook-token-of-after"),
    "notify.email.password": ("mail-password-of-before", "mail-password-of-after"),
}
"""Each before and after. Nobody is told anything: no alert fires, and no step is taken."""
HOLDERS = {
    "edgeKey": {"edge", "litellm"},
    "grafanaPassword": {"grafana"},
    **{path: {"alertmanager"} for path in ELSEWHERE if path.startswith("notify.")},
}
"""The parts that hold a secret."""
MAIL = {"host": "mail.invalid", "from": "friday@example.com", "to": ["ops@example.com"], "user": "friday"}


def test_every_secret_of_the_settings_is_changed_in_one_of_these_tests_or_named() -> None:
    changed = {path.partition(".")[0] if path.startswith("fridaySecrets") else path for path in UNDER_LOAD}
    assert changed | {*ELSEWHERE, *AT_THE_PROVIDER} == set(secret_paths())


@contextmanager
def a_stack(folder: Path, **settings: Any) -> Iterator[Project]:
    """Set a stack with two gateways up to the point where it could be deployed; it goes at the end."""
    made = Project.create(folder)
    try:
        made.fridayctl("setup")
        made.pulumi("stack", "init", made.stack)
        made.configure({"litellm": {**made.settings.get("litellm", {}), "replicas": 2}, **settings})
        yield made
    finally:
        made.remove()


def changed_under_load(stack: Project) -> None:
    """Update the stack while users of both paths ask; none of them may be refused."""
    with Load(stack, per_second=10, users=(7, 70), seconds=300) as load:
        stack.fridayctl("up", stack.stack, seconds=600)
        time.sleep(1)
    assert load.failures == []
    assert {"litellm", "direct"} <= {answer.path for answer in load.answers} <= {"litellm", "direct", "fallback"}


@pytest.fixture
def grafana() -> Iterator[str]:
    """Build what stands in for Grafana's image, as a team would name it."""
    engine, tag = docker.from_env(), f"grafana-of-the-team:{uuid.uuid4().hex[:8]}"
    grafana_image.build(engine, tags.tag("simulator"), tag)
    yield tag
    engine.images.remove(tag)
    engine.close()


@pytest.mark.slow
def test_what_edge_grafana_and_alertmanager_hold_is_changed_under_load(tmp_path: Path, grafana: str) -> None:
    with a_stack(tmp_path, notify={"email": MAIL}) as stack:
        watched = {**stack.settings["monitoring"], "grafana": {"image": grafana, "port": free_ports(1)[0]}}
        stack.configure({"monitoring": watched})
        stack.give_secrets({path: before for path, (before, _) in ELSEWHERE.items()})
        stack.fridayctl("up", stack.stack, seconds=600)
        edge = [container.id for container in stack.containers("edge")]
        stack.give_secrets({path: after for path, (_, after) in ELSEWHERE.items()})
        changed_under_load(stack)
        assert [container.id for container in stack.containers("edge")] == edge
        values = {f"{path} {number}": pair[number] for path, pair in ELSEWHERE.items() for number in (0, 1)}
        found = secret_places.hits(values, secret_places.files_of_containers(stack))
        assert found == {(part, f"{path} 1") for path, parts in HOLDERS.items() for part in parts}
        stack.fridayctl("verify", stack.stack)
