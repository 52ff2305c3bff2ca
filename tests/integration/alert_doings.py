"""What is done to a stack so that an alert fires, where no part has to stop and no fault of the simulator does it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from docker.models.containers import Container

from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_switch import Switch
from testing.project import Project
from tests.integration.alert_stage import DIRECT, FIRST, USERS

OTHER_PERCENTAGE = "LITELLM_ROLLOUT_PERCENTAGE=10"

_RENAMED = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"redis_up 1\\nredis_memory_used 10\\nredis_memory_max 100\\n")
    def log_message(self, *_):
        pass
ThreadingHTTPServer(("0.0.0.0", 9121), Handler).serve_forever()
"""
# The password is read where it is used: arguments are seen by everybody on the host.
_REDIS = "export REDISCLI_AUTH=$(sed -n 's/^requirepass //p' /etc/friday/redis.conf)\n"
_FILL = """for number in $(seq 200); do
  redis-cli eval 'for i = 1, 100 do
    redis.call("set", "filled:" .. ARGV[1] .. ":" .. i, string.rep("x", 10000)) end' 0 $number > /dev/null
done"""


@contextmanager
def closed_gateway(project: Project) -> Iterator[None]:
    """Close the gateway at the edge, as a rollback does that is interrupted then."""
    switch = Switch([DockerHost(project.engine)], project.stack)
    switch.close()
    try:
        yield
    finally:
        switch.open()


@contextmanager
def full_redis(project: Project) -> Iterator[None]:
    """Fill Redis with more than it may keep."""
    (redis,) = project.containers("redis")
    project.shell_in(redis, _REDIS + _FILL)
    try:
        yield
    finally:
        project.shell_in(redis, f"{_REDIS}redis-cli flushall")


@contextmanager
def refused_account(project: Project) -> Iterator[None]:
    """Let OpenRouter refuse the gateway's account, and only that, for its settings."""
    account = f"{project.simulator_url}/admin/accounts/gateway"
    httpx.patch(account, json={"blocked_by": "data_policy"}, timeout=20).raise_for_status()
    try:
        yield
    finally:
        httpx.patch(account, json={"blocked_by": None}, timeout=20).raise_for_status()


@contextmanager
def answers_that_cost(project: Project) -> Iterator[None]:
    """Let OpenRouter charge for an answer of each path although its prices are 0 and the request says so.

    Afterwards its books know nothing of that: a stack that has cost something is not updated.
    """
    admin = f"{project.simulator_url}/admin"
    try:
        for user, model in zip(USERS.values(), (FIRST, DIRECT), strict=True):
            change = {"id": model, "charges": "0.000001"}
            httpx.patch(f"{admin}/models", json=change, timeout=20).raise_for_status()
            assert project.chat(user).status == 200
        yield
    finally:
        httpx.post(f"{admin}/reset", json={}, timeout=20).raise_for_status()


@contextmanager
def a_thousand_chats(project: Project) -> Iterator[None]:
    """Let a thousand chats of the direct path's users begin."""
    _chats(project, [USERS["direct"]] * 1000)
    yield


@contextmanager
def further_chats(project: Project) -> Iterator[None]:
    """Let 60 chats of the direct path's users follow."""
    _chats(project, [USERS["direct"]] * 60)
    yield


def _chats(project: Project, users: list[int]) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(project.chat, users))


@contextmanager
def another_percentage(project: Project) -> Iterator[None]:
    """Let a replica of Friday run with another percentage, as an update leaves it that could not end."""
    old = project.containers("friday")[0]
    config = old.attrs["Config"]
    environment = [OTHER_PERCENTAGE if each.startswith("LITELLM_ROLLOUT_") else each for each in config["Env"]]
    assert OTHER_PERCENTAGE in environment
    archive, _ = old.get_archive("/etc/friday")
    command = [*config["Entrypoint"], *config["Cmd"]]
    left = _beside(project, "app", "friday", old.attrs["Image"], command, config["User"], environment)
    try:
        assert left.put_archive("/etc", b"".join(archive))
        left.start()
        yield
    finally:
        left.remove(force=True)


@contextmanager
def renamed_metrics(project: Project) -> Iterator[None]:
    """Let the exporter of Redis show its metrics by other names, as after an upgrade."""
    (exporter,) = project.containers("redis-exporter")
    command, image = ["python3", "-c", _RENAMED], project.images()["simulator"]
    exporter.stop(timeout=1)
    try:
        renamed = _beside(project, "gateway", "redis-exporter", image, command, "10001:10001", [])
        try:
            renamed.start()
            yield
        finally:
            renamed.remove(force=True)
    finally:
        exporter.start()


def _beside(
    project: Project, network: str, alias: str, image: str, command: list[str], user: str, environment: list[str]
) -> Container:
    """Return a container, not yet started, that a name of the stack's network leads to as well."""
    name = f"friday-{project.stack}-{network}"
    return project.engine.containers.create(
        image,
        command[1:],
        entrypoint=command[:1],
        name=f"friday-test-{project.stack}-{alias}",
        labels={"friday-litellm.stack": project.stack},
        user=user,
        environment=environment,
        network=name,
        networking_config={name: project.engine.api.create_endpoint_config(aliases=[alias])},
    )
