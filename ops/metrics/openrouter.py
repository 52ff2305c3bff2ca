"""What OpenRouter, or the simulator in its place, says: of a key, its dollars and limits; of models, their prices."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import httpx
from pydantic import AliasPath, BaseModel, Field, ValidationError

from components.catalogue import ABILITIES, Ability
from components.free_models import OPENROUTER
from components.settings.stack import StackSettings
from components.simulator import PORT as SIMULATOR_PORT
from ops.hosts.docker_host import DockerHost
from ops.hosts.in_container import InContainer
from ops.metrics.server import SilentError

SECONDS = 10.0

_KEYS = {"openrouterApiKey": "openrouter_api_key", "fridayOpenrouterApiKey": "friday_openrouter_api_key"}


class KeyUsage(BaseModel):
    """The part of `GET /key` that the rollout needs; dollars since the key was made, and since a UTC period began.

    `byok_usage` are dollars that a provider booked on a key of the account's own with it. `is_free_tier` accounts have
    never bought credits, which makes their daily limit smaller: `requests_per_day`, over all free models.
    """

    usage: float
    usage_daily: float | None = None
    usage_weekly: float | None = None
    usage_monthly: float | None = None
    byok_usage: float | None = None
    is_free_tier: bool | None = None
    expires_at: datetime | None = None
    requests_per_day: int | None = Field(
        default=None, ge=0, validation_alias=AliasPath("free_model_daily_requests", "limit")
    )
    requests_left: int | None = Field(
        default=None, validation_alias=AliasPath("free_model_daily_requests", "remaining")
    )

    def since(self, began: datetime, now: datetime) -> float:
        """Return the dollars booked since `began`, or in the shortest period of OpenRouter's that covers it."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        periods = (
            (midnight, self.usage_daily),
            (midnight - timedelta(days=now.weekday()), self.usage_weekly),
            (midnight.replace(day=1), self.usage_monthly),
        )
        covering = [dollars for start, dollars in periods if start <= began and dollars is not None]
        return min([*covering, self.usage])


class Listed(BaseModel):
    """One model of the catalogue, as far as the rollout reads it. Nothing in it is trusted to have its usual form."""

    id: str
    name: Any = None
    created: Any = None
    pricing: Any = None
    expiration_date: Any = None
    context_length: Any = None
    supported_parameters: Any = None
    architecture: Any = None

    @property
    def context_tokens(self) -> int | None:
        """Return the tokens of a request and its answer together, None where that is not told as a number."""
        told = self.context_length
        return told if isinstance(told, int) and not isinstance(told, bool) and told > 0 else None

    @property
    def takes(self) -> tuple[Ability, ...] | None:
        """Return what it takes besides text, as the setting `models[].takes` says it; None where that is not told."""
        inputs = self.architecture.get("input_modalities") if isinstance(self.architecture, Mapping) else None
        if not isinstance(inputs, list) or not isinstance(self.supported_parameters, list):
            return None
        return tuple(ability for ability in ABILITIES if ability in (*inputs, *self.supported_parameters))

    @property
    def answers_in_text(self) -> bool:
        """Return whether it is a chat model, as far as it says what it answers with."""
        outputs = self.architecture.get("output_modalities") if isinstance(self.architecture, Mapping) else None
        return not isinstance(outputs, list) or outputs == ["text"]


_Data = TypeVar("_Data")


class _Answer(BaseModel, Generic[_Data]):
    data: _Data


class _Endpoint(BaseModel):
    model_id: str | None = None


class RefusedError(SilentError):
    """OpenRouter does not know a key, or does not let it in."""


def keys_of(settings: StackSettings) -> dict[str, str]:
    """Return a stack's OpenRouter keys by the names of their settings, a key for both paths once, the gateway's first.

    The settings have to be revealed ones (`stack_secrets.reveal`).
    """
    keys: dict[str, str] = {}
    for name, attribute in _KEYS.items():
        secret = getattr(settings, attribute)
        if secret and secret.get_secret_value() not in keys.values():
            keys[name] = secret.get_secret_value()
    return keys


def reached_at(
    stack: str, settings: StackSettings, hosts: Callable[[], Sequence[DockerHost]]
) -> tuple[str, httpx.BaseTransport | None]:
    """Return the base URL at which this machine asks a stack's upstream, and the transport if it takes a special one.

    The simulator is published on the loopback of its own host: on one of other `hosts` it is asked in its container.
    """
    if settings.upstream != "simulator":
        return OPENROUTER, None
    if settings.docker_host.startswith("unix://"):
        return f"http://127.0.0.1:{settings.simulator.port}/api/v1", None
    return f"http://simulator:{SIMULATOR_PORT}/api/v1", InContainer(hosts(), stack, "simulator", SIMULATOR_PORT)


def key_usage(base_url: str, key: str, transport: httpx.BaseTransport | None = None) -> KeyUsage:
    """Ask OpenRouter (or its simulator) about a key, which is in no message. Raises SilentError or RefusedError."""
    return _asked(base_url, "key", _Answer[KeyUsage], transport, key)


def catalogue(base_url: str, transport: httpx.BaseTransport | None = None) -> dict[str, Listed]:
    """Ask OpenRouter (or its simulator) at `base_url` which models there are, by id. Raises SilentError."""
    found = _asked(base_url, "models", _Answer[list[Listed]], transport)
    return {model.id: model for model in found}


def without_retention(base_url: str, transport: httpx.BaseTransport | None = None) -> frozenset[str]:
    """Ask which models have an endpoint with zero data retention (`GET /endpoints/zdr`). Raises SilentError."""
    found = _asked(base_url, "endpoints/zdr", _Answer[list[_Endpoint]], transport)
    return frozenset(each.model_id for each in found if each.model_id is not None)


def _asked(
    base_url: str, path: str, form: type[_Answer[_Data]], transport: httpx.BaseTransport | None, key: str = ""
) -> _Data:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(timeout=SECONDS, transport=transport, trust_env=base_url.startswith("https:")) as client:
            response = client.get(f"{base_url}/{path}", headers=headers)
    except httpx.HTTPError as error:
        raise SilentError(f"OpenRouter at {base_url} does not answer ({error or type(error).__name__})") from error
    if response.status_code != httpx.codes.OK:
        refused = response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        when = "when asked about the key" if key else "when asked for its models"
        words = f"OpenRouter at {base_url} answers {response.status_code} {when}"
        raise RefusedError(words) if refused else SilentError(words)
    try:
        return form.model_validate_json(response.content).data
    except ValidationError as error:
        raise SilentError(f"what answers at {base_url}/{path} is no OpenRouter") from error
