"""What OpenRouter, or the simulator in its place, says: of a key, its dollars and limits; of models, their prices."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from components.free_models import OPENROUTER
from components.settings.stack import StackSettings
from components.simulator import PORT as SIMULATOR_PORT
from ops.hosts.docker_host import DockerHost
from ops.hosts.in_container import InContainer
from ops.metrics.prometheus import SilentError

SECONDS = 10.0

_KEYS = {"openrouterApiKey": "openrouter_api_key", "fridayOpenrouterApiKey": "friday_openrouter_api_key"}


class _Daily(BaseModel):
    limit: int | None = None
    remaining: int | None = None


class KeyUsage(BaseModel):
    """The part of `GET /key` that the rollout needs; dollars since the key was made, and since a UTC period began.

    `byok_usage` are dollars that a provider booked on a key of the account's own with it. `is_free_tier` accounts have
    never bought credits, which makes their daily limit smaller.
    """

    usage: float
    usage_daily: float | None = None
    usage_weekly: float | None = None
    usage_monthly: float | None = None
    byok_usage: float | None = None
    is_free_tier: bool | None = None
    expires_at: datetime | None = None
    free_model_daily_requests: _Daily | None = None

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

    @property
    def requests_per_day(self) -> int | None:
        """Return the account's daily limit over all free models, None when OpenRouter does not say."""
        return self.free_model_daily_requests.limit if self.free_model_daily_requests else None

    @property
    def requests_left(self) -> int | None:
        """Return how many of them are left today, None when OpenRouter does not say."""
        return self.free_model_daily_requests.remaining if self.free_model_daily_requests else None


class Listed(BaseModel):
    """One model of the catalogue, as far as the rollout reads it. Nothing in it is trusted to have its usual form."""

    id: str
    pricing: Any = None
    expiration_date: Any = None


class _Key(BaseModel):
    data: KeyUsage


class _Catalogue(BaseModel):
    data: list[Listed]


_Answer = TypeVar("_Answer", bound=BaseModel)


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
    """Ask OpenRouter (or its simulator) at `base_url` about a key. Raises SilentError (RefusedError for a key
    that is not valid); the key is in no message."""
    headers = {"Authorization": f"Bearer {key}"}
    return _asked(base_url, "key", "when asked about the key", _Key, transport, headers).data


def catalogue(base_url: str, transport: httpx.BaseTransport | None = None) -> dict[str, Listed]:
    """Ask OpenRouter (or its simulator) at `base_url` which models there are, by id. Raises SilentError."""
    found = _asked(base_url, "models", "when asked for its models", _Catalogue, transport, {})
    return {model.id: model for model in found.data}


def _asked(
    base_url: str,
    path: str,
    when: str,
    form: type[_Answer],
    transport: httpx.BaseTransport | None,
    headers: Mapping[str, str],
) -> _Answer:
    try:
        with httpx.Client(
            timeout=SECONDS,
            transport=transport,
            trust_env=base_url.startswith("https:"),
        ) as client:
            response = client.get(f"{base_url}/{path}", headers=dict(headers))
    except httpx.HTTPError as error:
        raise SilentError(f"OpenRouter at {base_url} does not answer ({error or type(error).__name__})") from error
    if response.status_code != httpx.codes.OK:
        refused = response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        words = f"OpenRouter at {base_url} answers {response.status_code} {when}"
        raise RefusedError(words) if refused else SilentError(words)
    try:
        return form.model_validate_json(response.content)
    except ValidationError as error:
        raise SilentError(f"what answers at {base_url}/{path} is no OpenRouter") from error
