"""StackSettings: everything that a stack file may say, with the words that its errors use.

Each field's description completes the sentence "should be ...": it is the documentation and the error in one.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from components.catalogue import MINIMUM_MODELS, Catalogue, FreeModel, default_models
from components.free_models import RouterTuning
from components.probes import ProbeClient

SECRET_KEYS = (
    "openrouterApiKey",
    "fridayOpenrouterApiKey",
    "gatewayKey",
    "opsKey",
    "redisPassword",
    "jwtSecret",
)

# Set by the stack itself: a value of one's own would point Friday at another host or another price.
MANAGED_ENVIRONMENT = frozenset(
    {
        "ENABLE_LITELLM",
        "LITELLM_ROLLOUT_PERCENTAGE",
        "LITELLM_BASE_URL",
        "LITELLM_MASTER_KEY",
        "OPENROUTER_API_KEY",
        "OPENROUTER_MODEL",
        "OPENROUTER_BASE_URL",
        "PORT",
    }
)


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are not numbers")
    return value


# Docker's reference grammar (distribution/reference): [host[:port]/]path[:tag][@sha256:digest].
_IMAGE = re.compile(
    r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


def _image(value: str) -> str:
    if not _IMAGE.fullmatch(value):
        raise ValueError("not an image reference")
    if ":" not in value.rsplit("/", 1)[-1]:
        raise ValueError("without tag or digest")
    return value


Count = Annotated[int, BeforeValidator(_no_bool)]
Port = Annotated[
    int,
    BeforeValidator(_no_bool),
    Field(ge=1, le=65535, description="a port from 1 to 65535 that nothing else uses"),
]
Image = Annotated[str, AfterValidator(_image)]
# What goes unquoted through an HTTP header, HAProxy's and Redis' files alike.
_SECRET = re.compile(r"[A-Za-z0-9._~+/=-]{16,512}")


def _secret(value: SecretStr) -> SecretStr:
    if not _SECRET.fullmatch(value.get_secret_value()):
        raise ValueError(f"has {len(value)} characters, or one that is not allowed")
    return value


Secret = Annotated[
    SecretStr,
    AfterValidator(_secret),
    Field(description="a secret of 16 to 512 letters, digits or any of . _ ~ + / = -"),
]


class Settings(BaseModel):
    """Base of all settings: camelCase in the stack file, unknown keys refused, nothing changes afterwards."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )


class PartSettings(Settings):
    """What each part may say: its image (a local build when left out) and its memory limit in MiB."""

    image: Image | None = Field(
        default=None,
        description="an image with a tag or a digest, such as registry.example/friday@sha256:<64 hex digits>",
    )
    memory_mb: Count = Field(default=256, ge=32, le=65536, description="a memory limit from 32 to 65536 MiB")


class FridaySettings(PartSettings):
    """Friday itself: image, replicas, environment and how it shows that it is healthy."""

    memory_mb: Count = Field(default=256, ge=32, le=65536, description="a memory limit from 32 to 65536 MiB")
    replicas: Count = Field(default=2, ge=1, le=20, description="a whole number of replicas from 1 to 20")
    direct_model: str = Field(
        default="openai/gpt-oss-20b:free",
        pattern=r"^[a-z0-9._-]+/[a-z0-9._-]+:free$",
        description="an OpenRouter model id that ends with :free; the direct path calls it",
    )
    environment: dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$")],
        Annotated[str, Field(max_length=8192)],
    ] = Field(default_factory=dict, description="a map of environment variables (UPPER_CASE: value)")
    secrets: dict[Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$")], SecretStr] = Field(
        default_factory=dict, description="a map of secret environment variables (UPPER_CASE: secure: ...)"
    )
    health_path: str = Field(
        default="/healthz",
        pattern=r"^/[A-Za-z0-9/_.-]*$",
        description="a path that answers 200 when Friday is well",
    )
    probe_client: ProbeClient = Field(
        default=ProbeClient.PYTHON,
        description="the program in Friday's image that probes it: python, bash or wget",
    )
    stop_grace_seconds: Count = Field(
        default=60, ge=5, le=600, description="seconds from 5 to 600 that a running answer may take to finish"
    )

    @field_validator("environment", "secrets")
    @classmethod
    def _leave_managed_names(cls, value: dict[str, str]) -> dict[str, str]:
        taken = sorted(MANAGED_ENVIRONMENT & value.keys())
        if taken:
            raise ValueError(f"without {', '.join(taken)}: the stack sets these itself")
        return value


class LitellmSettings(PartSettings):
    """The gateway: image, replicas and limits."""

    memory_mb: Count = Field(default=1024, ge=512, le=65536, description="a memory limit from 512 to 65536 MiB")
    replicas: Count = Field(default=2, ge=1, le=20, description="a whole number of replicas from 1 to 20")
    stop_grace_seconds: Count = Field(
        default=90, ge=5, le=900, description="seconds from 5 to 900 that a running answer may take to finish"
    )


class EdgeSettings(PartSettings):
    """The edge: which address and ports of the host it holds."""

    memory_mb: Count = Field(default=128, ge=32, le=65536, description="a memory limit from 32 to 65536 MiB")
    bind_address: str = Field(
        default="127.0.0.1",
        pattern=r"^\d{1,3}(\.\d{1,3}){3}$",
        description="an IPv4 address of the host that users reach, such as 127.0.0.1 or 0.0.0.0",
    )
    port: Port = 3000
    gateway_port: Port = Field(
        default=4000, description="a port from 1 to 65535 of 127.0.0.1 for callers with the gateway key"
    )


class RedisSettings(PartSettings):
    """Redis, which joins when there is more than one gateway replica."""

    memory_mb: Count = Field(default=64, ge=32, le=65536, description="a memory limit from 32 to 65536 MiB")


class SimulatorSettings(PartSettings):
    """The OpenRouter simulator: its port on 127.0.0.1, and the account limits and latency that it plays."""

    memory_mb: Count = Field(default=192, ge=32, le=65536, description="a memory limit from 32 to 65536 MiB")
    port: Port = 4100
    latency_ms: Count = Field(default=120, ge=0, le=60000, description="milliseconds from 0 to 60000")


class QuotaSettings(Settings):
    """The OpenRouter account's limits over all free models together (OpenRouter's documentation of rate limits)."""

    requests_per_minute: Count = Field(default=20, ge=1, le=100000, description="requests a minute from 1 to 100000")
    requests_per_day: Count = Field(default=1000, ge=1, le=10000000, description="requests a day from 1 to 10000000")


class StackSettings(Settings):
    """One stack file, checked."""

    engine: Literal["container", "swarm"] = Field(
        default="container", description="container (one host) or swarm (several hosts)"
    )
    docker_host: str = Field(
        default="unix:///var/run/docker.sock",
        pattern=r"^(unix:///\S+|ssh://[^\s/]+|tcp://[^\s/]+)$",
        description="unix:///path, ssh://user@host[:port] or tcp://host:port",
    )
    upstream: Literal["openrouter", "simulator"] = Field(
        default="openrouter", description="openrouter, or simulator (a stand-in that runs in the stack)"
    )
    litellm_enabled: bool = Field(default=True, description="true or false")
    rollout_percentage: Count = Field(default=0, ge=0, le=100, description="a whole number from 0 to 100")
    friday: FridaySettings = Field(default_factory=FridaySettings, description="a map of Friday's settings")
    litellm: LitellmSettings = Field(default_factory=LitellmSettings, description="a map of the gateway's settings")
    edge: EdgeSettings = Field(default_factory=EdgeSettings, description="a map of the edge's settings")
    redis: RedisSettings = Field(default_factory=RedisSettings, description="a map of Redis' settings")
    simulator: SimulatorSettings = Field(
        default_factory=SimulatorSettings, description="a map of the simulator's settings"
    )
    quota: QuotaSettings = Field(default_factory=QuotaSettings, description="a map with the account's limits")
    models: tuple[FreeModel, ...] = Field(
        default_factory=default_models,
        min_length=MINIMUM_MODELS,
        max_length=50,
        description=f"a list of {MINIMUM_MODELS} to 50 free models, each with name, id and aliases",
    )
    fallback_order: tuple[str, ...] | None = Field(
        default=None,
        description="a list of the models' names in the order in which they stand in for each other",
    )
    router: RouterTuning = Field(default_factory=RouterTuning, description="a map of timeouts and cooldowns")
    openrouter_api_key: Secret
    friday_openrouter_api_key: Secret | None = Field(
        default=None,
        description="a secret as openrouterApiKey, for the direct path (the same key when left out)",
    )
    gateway_key: Secret
    ops_key: Secret
    redis_password: Secret
    jwt_secret: Secret

    @property
    def catalogue(self) -> Catalogue:
        """Return the models with their fallback order."""
        return Catalogue(models=self.models, fallback_order=self.fallback_order)

    @model_validator(mode="after")
    def _models_form_a_catalogue(self) -> Self:
        _ = self.catalogue
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        ports = {"edge.port": self.edge.port, "edge.gatewayPort": self.edge.gateway_port}
        if self.upstream == "simulator":
            ports["simulator.port"] = self.simulator.port
        for name, port in ports.items():
            others = [other for other, value in ports.items() if value == port and other != name]
            if others:
                raise ValueError(f"{name} and {others[0]} should differ (both are {port})")
        return self

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if self.gateway_key.get_secret_value() == self.ops_key.get_secret_value():
            raise ValueError("gatewayKey and opsKey should differ: Friday's key must not open the operators' routes")
        return self
