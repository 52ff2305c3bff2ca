"""The edge's HAProxy configuration: who may ask for what, which replica answers, and the gateway's switch."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

SOCKET = "/tmp/haproxy.sock"  # noqa: S108 - the container's own tmpfs, mode 1777 and seen by nobody else
"""HAProxy's runtime API, inside the edge's container."""

SWITCH = "gateway_switch/open"
"""The pretended server whose state is the switch; its metrics say since when the gateway is closed."""

USERS_PORT = 3000
GATEWAY_INTERNAL_PORT = 4000
GATEWAY_HOST_PORT = 4001
OPERATIONS_PORT = 8404

SOCAT = ("socat", "-t5", "-", f"UNIX-CONNECT:{SOCKET}")
"""What runs in the edge's container; one of the commands below goes to its standard input."""

CLOSE_GATEWAY = f"set server {SWITCH} state maint\n"
OPEN_GATEWAY = f"set server {SWITCH} state ready\n"
SHOW_GATEWAY = "show servers state gateway_switch\n"

_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{8,512}")
_TEMPLATES = Path(__file__).resolve().parent / "templates"
_REPLICAS_PROVIDED_FOR = 4
_CLOSED_STATE_COLUMN = 6
_MAINTENANCE = 0x01

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class EdgeConfig(BaseModel):
    """What the edge has to know. Times are seconds, sizes bytes.

    `stream_timeout` is the longest silence of a replica, so it has to exceed the longest wait for a first
    byte: a chain of models that each stay silent for LiteLLM's own limit. A replica that answers its check with another
    status than 200 gets nothing more at once; only after `check_failures` checks in a row without an answer, each given
    `check_timeout`, is one held for dead: on a busy host it is merely slow. `dead_after` is how long a
    replica's host may be silent, its kernel too, before the connections to it are given up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    friday_host: str = Field(default="friday", pattern=r"^[a-z0-9.-]+$")
    litellm_host: str = Field(default="litellm", pattern=r"^[a-z0-9.-]+$")
    friday_replicas: int = Field(ge=0, le=50)
    litellm_replicas: int = Field(ge=0, le=50)
    edge_key: SecretStr
    friday_port: int = Field(default=3000, ge=1, le=65_535)
    litellm_port: int = Field(default=4000, ge=1, le=65_535)
    friday_health_path: str = Field(default="/healthz", pattern=r"^/[A-Za-z0-9/_.-]*$")
    gateway_open: bool = True
    max_body_bytes: int = Field(default=10_000_000, ge=1_000, le=1_000_000_000)
    max_connections: int = Field(default=4_000, ge=10, le=100_000)
    threads: int = Field(default=2, ge=1, le=64)
    connect_timeout: Seconds = 1.0
    request_timeout: Seconds = 10.0
    stream_timeout: Seconds = 330.0
    keep_alive_timeout: Seconds = 75.0
    stop_timeout: Seconds = 360.0
    check_interval: Seconds = 0.3
    check_timeout: Seconds = 3.0
    check_failures: int = Field(default=3, ge=1, le=10)
    dead_after: float = Field(default=8.0, ge=4, le=600)

    @field_validator("edge_key")
    @classmethod
    def _key_is_plain(cls, value: SecretStr) -> SecretStr:
        if not _KEY.fullmatch(value.get_secret_value()):
            raise ValueError("should be 8 to 512 letters, digits or any of . _ ~ + / = -")
        return value

    @model_validator(mode="after")
    def _stop_outlasts_streams(self) -> Self:
        if self.stop_timeout < self.stream_timeout:
            raise ValueError(
                f"stop_timeout: should not be below stream_timeout ({self.stream_timeout:g} s), or a stopping edge "
                f"cuts answers that are still on their way (got {self.stop_timeout:g} s)"
            )
        return self

    def render(self) -> str:
        """Return haproxy.cfg. It carries the edge's key: treat it as a secret."""
        return (
            _environment()
            .get_template("haproxy.cfg.j2")
            .render(
                self.model_dump() | {"edge_key": self.edge_key.get_secret_value()},
                socket=SOCKET,
                users_port=USERS_PORT,
                internal_port=GATEWAY_INTERNAL_PORT,
                host_port=GATEWAY_HOST_PORT,
                operations_port=OPERATIONS_PORT,
            )
        )


def gateway_is_open(answer: str) -> bool:
    """Read HAProxy's answer to SHOW_GATEWAY; ValueError when it is none."""
    for line in answer.splitlines():
        fields = line.split()
        if len(fields) > _CLOSED_STATE_COLUMN and fields[1] == "gateway_switch":
            return not int(fields[_CLOSED_STATE_COLUMN]) & _MAINTENANCE
    raise ValueError(f"edge: expected the state of {SWITCH}, got: {answer.strip()[:200] or 'nothing'}")


@cache
def _environment() -> Environment:
    # No markup is made here: what goes in is numbers, booleans and two validated strings.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
    environment.filters["ms"] = _milliseconds
    environment.filters["slots"] = _slots
    environment.globals["error_body"] = _error_body
    return environment


def _slots(replicas: int) -> int:
    return 2 * max(replicas, _REPLICAS_PROVIDED_FOR) + 2


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _error_body(status: int, kind: str, message: str) -> str:
    """Return an error in OpenAI's form, quoted for HAProxy (single quotes: nothing inside is expanded)."""
    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": str(status)}})
    return "'" + body.replace("'", "\u2019") + "'"
