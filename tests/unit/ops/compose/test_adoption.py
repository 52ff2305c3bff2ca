"""What people write in compose files, and where it goes: a setting, or a reason why it has no place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.compose.healthcheck import seconds
from tests.unit.ops.compose.composed import DATABASE, adopt, not_placed, of

ORIGIN = {"Origin": "https://a.example"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("command: node dist/index.js --port 3000", {"command": ["node", "dist/index.js", "--port", "3000"]}),
        ("command: ['node', 'a b.js']", {"command": ["node", "a b.js"]}),
        ('command: sh -c "node a.js"', {"command": ["sh", "-c", "node a.js"]}),
        ("entrypoint: tini --\ncommand: [node, a.js]", {"command": ["tini", "--", "node", "a.js"]}),
        ("entrypoint: []\ncommand: [node, a.js]", {"command": ["node", "a.js"]}),
        ("user: 1000:1000", {"user": "1000:1000"}),
        ("user: root", {"user": "root"}),
        ("user: 0", {"user": "0"}),
        ("mem_limit: 512m", {"memoryMb": 512}),
        ("mem_limit: 1.5g", {"memoryMb": 1536}),
        ("deploy: {resources: {limits: {memory: 2G}}, replicas: 3}", {"memoryMb": 2048, "replicas": 3}),
        ("deploy: {resources: {limits: {memory: '1073741824'}}}", {"memoryMb": 1024}),
        ("scale: 4", {"replicas": 4}),
        ("tmpfs: /run", {"writable": [{"path": "/run", "kind": "tmpfs"}]}),
        ("tmpfs: ['/logs:size=32m,mode=1777', /tmp]", {"writable": [{"path": "/logs", "kind": "tmpfs", "sizeMb": 32}]}),
        ("volumes: ['logs:/logs/']", {"writable": [{"path": "/logs", "kind": "volume"}]}),
        (
            "volumes: [{type: volume, source: a, target: /a}, {type: tmpfs, target: /b, tmpfs: {size: 1048576}}]",
            {"writable": [{"path": "/a", "kind": "volume"}, {"path": "/b", "kind": "tmpfs", "sizeMb": 1}]},
        ),
        ("stop_signal: SIGINT", {"stopSignal": "SIGINT"}),
        ("stop_signal: quit", {"stopSignal": "SIGQUIT"}),
        ("stop_grace_period: 1m30s", {"stopGraceSeconds": 90}),
        (
            "environment: {A: 1, B: true, C: text, D: 1.5, E: ''}",
            {"environment": dict(A="1", B="true", C="text", D="1.5", E="")},
        ),
        ("environment: [A=1, B=x=y]", {"environment": {"A": "1", "B": "x=y"}}),
        ("environment: {OPENROUTER_MODEL: 'z-ai/glm-4.5-air:free'}", {"directModel": "z-ai/glm-4.5-air:free"}),
        ("environment: {OPENROUTER_ZDR: 'true'}", {"environment": {"OPENROUTER_ZDR": "true"}}),
        ("healthcheck: {start_period: 40s, test: curl http://localhost:3000/}", {"startSeconds": 130}),
        ("healthcheck: {start_period: 1m, interval: 5s, retries: 6, test: x}", {"startSeconds": 90}),
    ],
)
def test_a_setting(tmp_path: Path, lines: str, expected: dict[str, Any]) -> None:
    found = of(tmp_path, lines).settings["friday"]
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("test", "path", "headers"),
    [
        ("[CMD, curl, -f, 'http://localhost:3000/health']", "/health", {}),
        ("curl -fsS http://127.0.0.1:3000 || exit 1", "/", {}),
        ("[CMD-SHELL, 'wget -qO- http://localhost:3000/api/health || exit 1']", "/api/health", {}),
        (
            "[CMD, wget, --spider, '--header=Origin: https://a.example', 'http://friday:3000/']",
            "/",
            ORIGIN,
        ),
        ("[CMD-SHELL, \"curl -H 'Origin: https://a.example' http://0.0.0.0:3000/up\"]", "/up", ORIGIN),
        (
            "[CMD, curl, --header, 'Origin: https://a.example', -HX-Check:1, 'http://[::1]/']",
            "/",
            {**ORIGIN, "X-Check": "1"},
        ),
        (
            "[CMD, node, -e, \"require('http').get('http://localhost:3000/ok', (r) => process.exit(0))\"]",
            "/ok",
            {},
        ),
        (
            "[CMD, node, -e, \"h.get({port: 3000, path: '/up', headers: {Origin: 'https://a.example'}})\"]",
            "/up",
            ORIGIN,
        ),
        ("[CMD, node, -e, \"fetch('http://localhost:3000/ping').then(r => process.exit(r.ok ? 0 : 1))\"]", "/ping", {}),
        ("[CMD-SHELL, 'curl http://localhost:$${PORT:-3000}/a && curl http://localhost:$$PORT/b']", "/a", {}),
        ("[CMD, bun, -e, 'fetch(`http://localhost:3000/b`)']", "/b", {}),
    ],
)
def test_a_health_check_by_http(tmp_path: Path, test: str, path: str, headers: dict[str, str]) -> None:
    found = of(tmp_path, f"healthcheck:\n  test: {test}").settings["friday"]
    assert found["healthPath"] == path
    assert found.get("probeHeaders", {}) == headers


@pytest.mark.parametrize(
    ("healthcheck", "why"),
    [
        ("{test: [CMD, pg_isready]}", "it does not ask by HTTP"),
        ("{test: 'curl https://localhost/'}", "it asks by HTTPS"),
        ("{test: 'curl http://db:3000/'}", "it asks another host"),
        ("{test: 'curl http://localhost:3000/?deep=1'}", "its path has a query"),
        ("{test: [CMD, node, -e, \"get('http://localhost:' + port + '/up')\"]}", "its address is put together"),
        ("{test: [CMD, node, -e, 'get(`http://localhost:3000/$${path}`)']}", "its address is put together"),
        ("{test: [NONE]}", "it is switched off"),
        ("{disable: true}", "it is switched off"),
        ("{interval: 5s}", "the service has none that asks by HTTP"),
        ('{test: "curl \'http://localhost:3000"}', ""),
    ],
)
def test_a_health_check_that_cannot_be_asked(tmp_path: Path, healthcheck: str, why: str) -> None:
    found = of(tmp_path, f"healthcheck: {healthcheck}")
    assert found.settings["friday"]["healthPath"] == "/"
    assert not_placed(found).get("healthcheck", "").startswith(why)


def test_an_image_that_is_built_gets_the_name_that_compose_gives_it(tmp_path: Path) -> None:
    found = adopt(tmp_path, "name: shop\nservices: {friday: {build: ., ports: ['3000:3000']}}")
    assert found.settings["friday"]["image"] == "shop-friday:latest"
    assert "compose names what it builds so: shop-friday:latest" in not_placed(found)["build"]
    named = adopt(tmp_path, "services: {friday: {build: {context: .}, image: 'r.example:5000/f', ports: [3000]}}")
    assert named.settings["friday"]["image"] == "r.example:5000/f:latest"
    digest = f"r.example/f@sha256:{'0' * 64}"
    assert (
        adopt(tmp_path, f"services: {{friday: {{image: '{digest}', ports: [3000]}}}}").settings["friday"]["image"]
        == digest
    )


@pytest.mark.parametrize(
    ("lines", "what", "why"),
    [
        ("command: node a.js", "the image's ENTRYPOINT", "stands in for it too"),
        ("volumes: ['./server:/app/server']", "volumes ./server:/app/server", "files of one host"),
        ("volumes: [{type: bind, source: /srv, target: /srv}]", "volumes /srv:/srv", "files of one host"),
        ("volumes: ['~/data:/data']", "volumes ~/data:/data", "files of one host"),
        ("volumes: ['data:/data:ro']", "volumes data:/data", "nobody could write"),
        ("volumes: [/app/node_modules]", "volumes /app/node_modules", "without a name"),
        ("volumes: ['data:/data']", "volumes data", "begins with what the image has"),
        ("network_mode: host", "network_mode", "networks of its own"),
        ("networks: {default: {aliases: [web], ipv4_address: 10.5.0.5}}", "networks default.aliases", "come and go"),
        ("labels: ['traefik.enable=true']", "labels", "a proxy finds its containers by them"),
        ("labels: {caddy: friday.example}", "labels", "a proxy finds its containers by them"),
        ("environment: [VIRTUAL_HOST=friday.example]", "environment VIRTUAL_HOST", "a proxy finds"),
        ("environment: [lower=1]", "environment lower", "capital letters"),
        ("environment: [NOBODY]", "environment NOBODY", "it has no value"),
        ("environment: {OPENROUTER_MODEL: openai/gpt-5}", "environment OPENROUTER_MODEL", "free models only"),
        ("environment: {JWT_SECRET: short}", "environment JWT_SECRET", "16 to 512"),
        ('environment: {BELL: "\\a"}', "environment BELL", "no YAML file holds"),
        ('environment: {BELL_KEY: "\\0"}', "environment BELL_KEY", "NUL"),
        (f"environment: {{LONG: '{'x ' * 5000}'}}", "environment LONG", "more than 8192"),
        ("secrets: [db_password]", "secrets", "not as files below /run/secrets"),
        ("configs: [app]", "configs", "no files are mounted"),
        ("extra_hosts: ['a:1.2.3.4']", "extra_hosts", "adds no names"),
        ("privileged: true", "privileged", "no capabilities"),
        ("gpus: all", "gpus", "no setting for it"),
        ("cpus: 1.5", "cpus (processor time)", "limits none"),
        ("deploy: {resources: {limits: {cpus: '1'}}}", "deploy (processor time)", "limits none"),
        (
            "healthcheck: {test: [CMD, curl, -HHost:a, localhost, 'http://localhost']}",
            "the health check's Host",
            "their own",
        ),
        ("mem_limit: lots", "mem_limit", "no size"),
    ],
)
def test_what_has_no_place_is_named_with_the_reason(tmp_path: Path, lines: str, what: str, why: str) -> None:
    found = of(tmp_path, f"ports: [3000]\n{lines}")
    assert why in not_placed(found)[what]
    here = next(each for each in found.not_placed if each.what == what)
    assert here.where == "compose.yml:5"
    assert here.fix


def test_what_needs_no_place_is_not_named(tmp_path: Path) -> None:
    lines = """
    user: node
    ports: ["3000:3000"]
    container_name: f
    restart: unless-stopped
    init: true
    depends_on: {db: {condition: service_healthy}}
    logging: {driver: json-file}
    profiles: [prod]
    x-note: kept
    labels: [com.example.team=friday]
    healthcheck: {test: curl http://localhost:3000/}
    """
    assert of(tmp_path, lines, more=DATABASE).not_placed == ()


def test_what_the_stack_sets_itself(tmp_path: Path) -> None:
    more = "ENABLE_LITELLM: 'true', LITELLM_ROLLOUT_PERCENTAGE: 10, LITELLM_MASTER_KEY: sk-x"
    found = of(tmp_path, f"environment: {{PORT: 8080, {more}, A: b}}")
    assert found.managed == ("ENABLE_LITELLM", "LITELLM_MASTER_KEY", "LITELLM_ROLLOUT_PERCENTAGE", "PORT")
    assert found.settings["friday"]["environment"] == {"A": "b"}
    assert found.settings["rolloutPercentage"] == 0


def test_hints_name_what_the_app_wants_for_the_percentage_and_for_probes(tmp_path: Path) -> None:
    bare = of(tmp_path, "environment: {NODE_ENV: production}").hints
    assert ["FORCE_MODEL_ROUTING" in bare[0], "Origin" in bare[1]] == [True, True]
    lines = """
    environment: {NODE_ENV: production, FORCE_MODEL_ROUTING: "true"}
    healthcheck: {test: [CMD, curl, -H, "Origin: https://a.example", "http://localhost:3000/"]}
    """
    assert of(tmp_path, lines).hints == ()


def test_the_stack_file_is_yaml_that_says_the_same(tmp_path: Path) -> None:
    found = of(tmp_path, "environment: {A: 'yes', B: '1', C: 'ø\"\\u2028'}\nports: [3000]")
    config = yaml.safe_load(found.document())["config"]
    assert config == {f"friday-litellm:{key}": value for key, value in found.settings.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40s", 40),
        ("1m30s", 90),
        ("1h", 3600),
        ("500ms", 0.5),
        ("10us", 1e-5),
        ("1.5s", 1.5),
        ("40", None),
        ("x", None),
    ],
)
def test_a_duration(text: str, expected: float | None) -> None:
    assert seconds(text) == pytest.approx(expected)
