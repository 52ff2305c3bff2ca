"""The edge: HAProxy in front of Friday and of the gateway, behind what has the host's ports; it has the switch."""

import hashlib
import json
from pathlib import Path
from typing import Annotated

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field

from components import certificate as certificates
from components import edge_ports
from components.certificate import Certificate, CertificateError
from components.part import ROOT, Given, Job, Part
from components.probes import HealthProbe, ProbeClient
from components.settings.base import Secret
from components.settings.container import Headers
from components.settings.edge_access import CookieName, Network
from components.settings.parts import FridaySettings
from components.settings.source import NAMESPACE, Problem, SettingsError
from components.settings.stack import StackSettings
from components.workload import APP_NETWORK, FILES_DIR, FIRST_SHARES, GATEWAY_NETWORK, File, Port, Workload

NAME = "edge"
TEMPLATES = Path(__file__).with_name("templates")

CERTIFICATE = "edge.pem"
"""The file with the certificate, its chain and its key; a comment without HTTPS, for the plugin takes no empty file."""

LIMIT_BODY = "limit_body.lua"
"""The file with what HAProxy does itself to bodies that come without their length."""

GATEWAY_BODY_BYTES = 4 * 1024 * 1024
"""The longest body of a request to the gateway, the same as the gateway's own (`gateway.request_body`)."""

WRONG_KEYS = 20
"""How many wrong keys one address may show the gateway's port on the host in a minute."""

COMMAND = ("bash", "-c", (TEMPLATES / "edge.sh").read_text(encoding="utf-8"))

TAKEN = (
    'if [[ ! -e /etc/friday/manifest || "$(</etc/friday/manifest)" == "$(</tmp/taken)" ]]; then echo taken; '
    "else cat /tmp/refused 2>/dev/null || echo 'not yet'; fi"
)
"""What bash in the edge's container is asked whether HAProxy runs with the files that are there.

One that an earlier version of this project made has no manifest, and runs with what it began with.
"""

FRIDAY, WEB_SOCKETS = "friday", "friday_ws"
"""HAProxy's backends with Friday's replicas. The second one is there for an image of one's own."""

SOCKET = "/tmp/haproxy.sock"  # noqa: S108 - the container's own tmpfs, mode 1777 and seen by nobody else
"""HAProxy's runtime API, inside the edge's container."""

CHATS_SOCKET = "/tmp/chats.sock"  # noqa: S108 - as above
"""Where requests for `friday.chatPaths` pass once more, to be counted apart."""

SWITCH = "gateway_switch/open"
"""The pretended server whose state is the switch; its metrics say since when the gateway is closed."""

OWN_FOLDER = "/tmp"  # noqa: S108 - as above
"""Where what a trusted proxy sends passes once more, to have the second of two PROXY headers read."""

USERS_PORT = 3000
USERS_TLS_PORT = 3443
GATEWAY_INTERNAL_PORT = 4000
GATEWAY_HOST_PORT = 4001
OPERATIONS_PORT = 8404

CONFIG = f"{FILES_DIR}/haproxy.cfg"
"""Where the edge's configuration is, inside its container."""

SOCAT = ("socat", "-t5", "-", f"UNIX-CONNECT:{SOCKET}")
"""What runs in the edge's container; one of the commands below goes to its standard input."""

MASTER = "/tmp/master.sock"  # noqa: S108 - as above
"""Where HAProxy's master process answers; edge.sh starts it there."""

LEAVING = "/tmp/leaving"  # noqa: S108 - as above
"""The file that is there once an edge finishes what runs and gets nothing new: another one has followed."""

CLOSE_GATEWAY = f"set server {SWITCH} state maint\n"
OPEN_GATEWAY = f"set server {SWITCH} state ready\n"
SHOW_CERTIFICATE = f"show ssl cert {FILES_DIR}/{CERTIFICATE}"
SHOW_GATEWAY = "show servers state gateway_switch\n"

_LEAST_GRACE_SECONDS = 10

CHECK_MS, OTHERS_CHECK_MS = 1000, 2000
"""How often a replica that is up is asked by HTTP (ms); others than the reference Friday may log each question.

This is for what still listens and should get nothing more: a replica that leaves says so for DRAIN_SECONDS (two) in
Friday and the gateway, so it has to be asked twice meanwhile. What listens no more is found by the request itself.
"""

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
    connections: int = Field(default=4000, ge=1000)
    friday_chat_paths: tuple[Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]+$")], ...] = ()
    gateway_open: bool = True
    web_sockets: bool = False
    trusted_proxies: tuple[Network, ...] = ()
    proxy_protocol: bool = False
    sticky_cookie: CookieName | None = None
    https_port: int | None = Field(default=None, description="the host's, for HTTPS; None: users come without")
    hsts_seconds: int = 0
    sockets: str = Field(default="", description="the folder where another container hands connections on, if one does")

    def render(self) -> str:
        """Return haproxy.cfg. It carries the edge's key: treat it as a secret."""
        # No markup is made here: what goes in is numbers, booleans and validated strings.
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701
        )
        return environment.get_template("haproxy.cfg.j2").render(
            self.model_dump() | {"edge_key": self.edge_key.get_secret_value()},
            sticky_key=hashlib.sha256(b"sticky " + self.edge_key.get_secret_value().encode()).hexdigest()[:32],
            error_body=_error_body,
            gateway_check_ms=CHECK_MS,
            gateway_body_bytes=GATEWAY_BODY_BYTES,
            wrong_keys=WRONG_KEYS,
            limit_body=f"{FILES_DIR}/{LIMIT_BODY}",
            quoted=_quoted,
            socket=SOCKET,
            chats_socket=CHATS_SOCKET,
            users_port=USERS_PORT,
            users_tls_port=USERS_TLS_PORT,
            certificate=f"{FILES_DIR}/{CERTIFICATE}",
            own_folder=OWN_FOLDER,
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


def contents(config: EdgeConfig, certificate: Certificate | None = None) -> dict[str, str]:
    """Return the edge's files, all of them secret; by the last one it sees that the others are whole."""
    files = {
        LIMIT_BODY: (TEMPLATES / LIMIT_BODY).read_text(encoding="utf-8"),
        "haproxy.cfg": config.render(),
        CERTIFICATE: certificate.pem if certificate else "# edge.tls is not set\n",
    }
    sums = (f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in files.items())
    return {**files, "manifest": "".join(sums)}


def certificate_of(stack: str, settings: StackSettings) -> Certificate | None:
    """Return the certificate that users see, None without HTTPS; SettingsError when its files cannot be used."""
    if settings.edge.tls.files is None:
        return None
    try:
        # Relative to the project, where Pulumi runs, wherever the command was given.
        return certificates.read(*(ROOT / path for path in settings.edge.tls.files))
    except CertificateError as error:
        key = f"{NAMESPACE}:edge.tls.{error.setting}"
        raise SettingsError(Problem(f"Pulumi.{stack}.yaml", key, str(error), error.fix)) from error


_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_encoding",
    429: "too_many_wrong_keys",
    500: "edge_failed",
    502: "replica_failed",
    503: "unavailable",
    504: "replica_timeout",
}
"""The word for each of the edge's own errors; the gateway's are in `gateway.policy` and `gateway.errors`."""


def _error_body(status: int, kind: str, message: str, request_id: str) -> str:
    """Return an error in OpenAI's form, quoted for HAProxy: between single quotes only `%` is expanded.

    `request_id` is what HAProxy or its filter replaces.
    """
    code = kind if kind == "gateway_closed" else _CODES[status]
    error = {"message": message, "type": kind, "param": None, "code": code, "request_id": request_id}
    return "'" + json.dumps({"error": error}).replace("'", "\u2019") + "'"


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
        web_sockets=friday.image is not None,
        trusted_proxies=settings.trusted_proxies,
        proxy_protocol=settings.proxy_protocol,
        sticky_cookie=settings.sticky_cookie,
        https_port=settings.tls.port if settings.tls.files else None,
        hsts_seconds=settings.tls.hsts_seconds,
        sockets="${OWN_SOCKETS}",
    )
    ports = [Port(settings.port, USERS_PORT, settings.bind_address)]
    certificate = certificate_of(given.stack, given.settings)
    if certificate:
        ports.append(Port(settings.tls.port, USERS_TLS_PORT, settings.bind_address))
    # Never on another address: whoever reaches this port may try keys.
    ports.append(Port(settings.gateway_port, GATEWAY_HOST_PORT))
    swarm = given.settings.engine == "swarm"
    image = given.image(NAME, settings)
    # In a Swarm a service's name leads to its new tasks by itself; on one host it is that of what has the ports.
    inside = () if swarm else (GATEWAY_INTERNAL_PORT, OPERATIONS_PORT)
    return Workload(
        part=NAME,
        image=image,
        command=COMMAND,
        networks=(APP_NETWORK, GATEWAY_NETWORK),
        probe=HealthProbe(port=OPERATIONS_PORT, client=ProbeClient.BASH, interval_seconds=2),
        memory_mb=settings.memory_mb,
        user="haproxy",
        alias="" if swarm else f"{NAME}-itself",
        env={"SOCKETS": edge_ports.SOCKETS},
        files={name: File(text, secret=True) for name, text in contents(config, certificate).items()},
        rereads_files=True,
        front=edge_ports.workload(image, tuple(ports), inside, OPERATIONS_PORT, alias="" if swarm else NAME),
        volumes={edge_ports.SOCKETS: edge_ports.VOLUME},
        volumes_of=edge_ports.NAME,
        # One that goes is given as long as Friday's replicas are.
        stop_grace_seconds=max(_LEAST_GRACE_SECONDS, friday.stop_grace_seconds),
        replaced_by_overlap=True,
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
