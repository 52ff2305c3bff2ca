"""The edge: HAProxy in front of Friday and of the gateway. It owns the host ports and the gateway's switch."""

import json
from pathlib import Path
from typing import Annotated

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field

from components.part import Given, Job, Part
from components.probes import HealthProbe, ProbeClient
from components.settings.base import Secret
from components.settings.container import Headers
from components.settings.parts import FridaySettings
from components.workload import APP_NETWORK, FILES_DIR, FIRST_SHARES, GATEWAY_NETWORK, File, Port, Workload

NAME = "edge"

SOCKET = "/tmp/haproxy.sock"  # noqa: S108 - the container's own tmpfs, mode 1777 and seen by nobody else
"""HAProxy's runtime API, inside the edge's container."""

CHATS_SOCKET = "/tmp/chats.sock"  # noqa: S108 - as above
"""Where requests for `friday.chatPaths` pass once more, to be counted apart."""

SWITCH = "gateway_switch/open"
"""The pretended server whose state is the switch; its metrics say since when the gateway is closed."""

USERS_PORT = 3000
GATEWAY_INTERNAL_PORT = 4000
GATEWAY_HOST_PORT = 4001
OPERATIONS_PORT = 8404

CONFIG = f"{FILES_DIR}/haproxy.cfg"
"""Where the edge's configuration is, inside its container."""

SOCAT = ("socat", "-t5", "-", f"UNIX-CONNECT:{SOCKET}")
"""What runs in the edge's container; one of the commands below goes to its standard input."""

CLOSE_GATEWAY = f"set server {SWITCH} state maint\n"
OPEN_GATEWAY = f"set server {SWITCH} state ready\n"
SHOW_GATEWAY = "show servers state gateway_switch\n"

CHECK_MS, OTHERS_CHECK_MS = 300, 2000
"""How often a replica is asked by HTTP (ms): the reference Friday answers for nothing, others may log each question."""

_CLOSED_STATE_COLUMN = 6
_MAINTENANCE = 0x01


class EdgeConfig(BaseModel):
    """What HAProxy's configuration has to know of a stack. Times, sizes and limits are the template's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    friday_host: str = Field(default="friday", pattern=r"^[a-z0-9.-]+$")
    litellm_host: str = Field(default="litellm", pattern=r"^[a-z0-9.-]+$")
    friday_replicas: int = Field(ge=0, le=50)
    litellm_replicas: int = Field(ge=0, le=50)
    edge_key: Secret
    friday_health_path: str = Field(default="/healthz", pattern=r"^/[A-Za-z0-9/_.-]*$")
    friday_probe_headers: Headers = Field(default_factory=dict)
    friday_check_ms: int = Field(default=CHECK_MS, ge=100, le=60000)
    max_body_mb: int = Field(default=10, ge=1, le=100)
    friday_chat_paths: tuple[Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]+$")], ...] = ()
    gateway_open: bool = True

    def render(self) -> str:
        """Return haproxy.cfg. It carries the edge's key: treat it as a secret."""
        # No markup is made here: what goes in is numbers, booleans and validated strings.
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701
        )
        return environment.get_template("haproxy.cfg.j2").render(
            self.model_dump() | {"edge_key": self.edge_key.get_secret_value()},
            error_body=_error_body,
            quoted=_quoted,
            socket=SOCKET,
            chats_socket=CHATS_SOCKET,
            users_port=USERS_PORT,
            internal_port=GATEWAY_INTERNAL_PORT,
            host_port=GATEWAY_HOST_PORT,
            operations_port=OPERATIONS_PORT,
        )


def gateway_is_open(answer: str) -> bool:
    """Read HAProxy's answer to SHOW_GATEWAY; ValueError when it is none."""
    for line in answer.splitlines():
        fields = line.split()
        if len(fields) > _CLOSED_STATE_COLUMN and fields[1] == "gateway_switch":
            return not int(fields[_CLOSED_STATE_COLUMN]) & _MAINTENANCE
    raise ValueError(f"edge: expected the state of {SWITCH}, got: {answer.strip()[:200] or 'nothing'}")


def check_ms(friday: FridaySettings) -> int:
    """Return the milliseconds between two checks of one of Friday's replicas."""
    return friday.edge_check_ms or (OTHERS_CHECK_MS if friday.image else CHECK_MS)


def _quoted(text: str) -> str:
    """Return a text as one word of HAProxy's configuration: between single quotes nothing is expanded."""
    return "'" + text.replace("'", "'\\''") + "'"


def _error_body(status: int, kind: str, message: str) -> str:
    """Return an error in OpenAI's form, quoted for HAProxy (single quotes: nothing inside is expanded)."""
    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": str(status)}})
    return "'" + body.replace("'", "\u2019") + "'"


def _workload(given: Given) -> Workload:
    """Declare the edge; of Friday and LiteLLM it knows where they are, how many, and how they show their health."""
    settings, friday = given.settings.edge, given.settings.friday
    config = EdgeConfig(
        friday_host=given.every_replica("friday"),
        litellm_host=given.every_replica("litellm"),
        friday_replicas=friday.replicas,
        litellm_replicas=given.settings.litellm.replicas,
        edge_key=given.settings.edge_key,
        friday_health_path=friday.health_path,
        friday_probe_headers=friday.probe_headers,
        friday_check_ms=check_ms(friday),
        max_body_mb=settings.max_body_mb,
        friday_chat_paths=friday.chat_paths,
    )
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=("haproxy", "-W", "-db", "-f", CONFIG),
        networks=(APP_NETWORK, GATEWAY_NETWORK),
        probe=HealthProbe(port=OPERATIONS_PORT, client=ProbeClient.BASH, interval_seconds=2),
        memory_mb=settings.memory_mb,
        user="haproxy",
        files={"haproxy.cfg": File(config.render(), secret=True)},
        ports=(
            Port(settings.port, USERS_PORT, settings.bind_address),
            # Never on another address: whoever reaches this port may try keys.
            Port(settings.gateway_port, GATEWAY_HOST_PORT),
        ),
        on_every_host=True,
        cpu_shares=FIRST_SHARES,  # needs little, and every request waits for it
    )


PART = Part(
    NAME,
    setting="edge",
    workload=_workload,
    metrics=lambda given: Job(NAME, given.every_replica(NAME), OPERATIONS_PORT),
    # Made last: when the replicas behind it do not get healthy, the edge that serves stays.
    after=("friday", "litellm"),
)
