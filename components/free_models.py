"""The free-model catalogue as LiteLLM's configuration, for LiteLLM 1.108.14.

LiteLLM accepts most mistakes without a word and has settings that do the opposite of what they say, so
the shape is fixed here and `litellm_schema` checks what comes out. Why it looks as it does:

* Every model is one deployment in a group of its own, `up-<name>`, that clients never see. What clients
  send are aliases of these groups, and only aliases are keys of the fallback lists: an alias does not
  inherit its group's fallbacks, and a group with fallbacks of its own would start a second chain.
* `num_retries` is 0: a retry sleeps two to six seconds first, and obeys Retry-After up to a minute. The
  chain of models is the retry.
* `max_fallbacks` is a depth and not a length. At 1 all models of a chain are asked from one loop.
* `disable_cooldowns`: the gateway itself knows whose fault a failure is, and leaves models out (gateway/rests.py).
* `provider.max_price` of zero asks OpenRouter to refuse rather than to charge, whatever the id says.
* The address is written into each deployment, so that no environment variable can move it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, model_validator

from components import litellm_schema
from components.catalogue import Catalogue, FreeModel
from components.settings.base import Settings, between, matching

OPENROUTER = "https://openrouter.ai/api/v1"
SIMULATOR_HOST = "openrouter"
SIMULATOR = f"http://{SIMULATOR_HOST}:8080/api/v1"
"""The stack's own stand-in, under its name on the stack's networks."""
# One label and no dot: a name that no public name server knows, whatever the stack is called.
_SIMULATORS = re.compile(r"http://(?:friday-[a-z0-9-]+-)?openrouter:8080/api/v1")

_OVERHEAD_BUCKETS = [0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025]
LATENCY_BUCKETS = [*_OVERHEAD_BUCKETS, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 8, 10, 15, 30, 60, 120]
"""In seconds. 1, 3, 5 and 10 are Friday's targets and alert; what the gateway adds is counted in the same ones."""


Feature = Annotated[str, matching(r"[A-Za-z0-9_-]{1,64}", "not 1 to 64 letters, digits, _ or -")]


class RouterTuning(Settings):
    """How long the gateway waits and how quickly it gives up on a model. All times in seconds."""

    timeout_seconds: float = between(0.5, 120, "seconds of silence", " before the next model is tried", default=4.0)
    stream_timeout_seconds: float = between(0.5, 120, "the same for streams, seconds", default=4.0)
    first_token_seconds: float = between(
        0.5, 120, "seconds without a token", " before the next model is tried, whatever comments say", default=8.0
    )
    deadline_seconds: float = between(
        1, 600, "seconds", " from a request's arrival, below the 30 of Friday's client", default=28.0
    )
    stream_deadline_seconds: float = between(
        1, 3600, "seconds", " from a stream's first token to its last", default=300.0
    )
    cooldown_seconds: int = between(1, 3600, "seconds", " that a failed model is left out", default=60)
    allowed_fails: int = Field(
        default=1,
        ge=1,
        le=10,
        description="broken answers a minute before a model is left out: 1 to 10",
    )
    max_in_flight: int = between(1, 2000, "requests", " that one replica works on at a time", default=100)
    max_queued: int = between(0, 2000, "requests", " that may wait for a place in one replica", default=50)
    cache_ttl_seconds: int = Field(
        default=0,
        ge=0,
        le=86400,
        description="seconds from 0 (off) to 86400 that the same request gets the same answer",
    )
    cache_features: tuple[Feature, ...] = Field(
        default=("email_summary", "email_labels"),
        max_length=20,
        description="a list of up to 20 features, as Friday's header names them, whose answers are kept too",
    )

    def longest_without_token(self) -> float:
        """Return the seconds that a model may take for a token: where it may be silent for longer, comments may too."""
        return max(self.first_token_seconds, self.timeout_seconds, self.stream_timeout_seconds)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        longest = max(self.timeout_seconds, self.stream_timeout_seconds)
        if longest > self.deadline_seconds:
            raise ValueError(
                f"deadlineSeconds should be the timeouts' {longest:g} or more (got {self.deadline_seconds:g})"
            )
        return self


def simulator_url(host: str) -> str:
    """Return the base URL of the simulator that is found as `host` on the stack's networks."""
    return f"http://{host}:8080/api/v1"


def render_litellm_config(catalogue: Catalogue, tuning: RouterTuning, *, upstream: str) -> str:
    """Return LiteLLM's config.yaml; the same settings always give the same text.

    `upstream` is `OPENROUTER` or a simulator's URL (else `ValueError`).
    """
    config = litellm_config(catalogue, tuning, upstream=upstream)
    problems = litellm_schema.check(config, upstream=upstream)
    if problems:
        # LiteLLM would take most of them in silence, and one of them could cost money: nothing is rendered.
        raise ValueError("; ".join(problems))
    header = "# Written by the stack from its settings; a change here is lost with the next update.\n"
    return header + yaml.dump(config, Dumper=_PlainDumper, sort_keys=False, width=110)


class _PlainDumper(yaml.CSafeDumper):
    """Writes repeated lists out: a reader of the deployed file should not have to resolve anchors.

    The one in C: an update renders twice, and the one in Python takes a twentieth of a second for each.
    """

    def ignore_aliases(self, data: Any) -> bool:
        return True


def litellm_config(catalogue: Catalogue, tuning: RouterTuning, *, upstream: str) -> dict[str, Any]:
    """Return the configuration as plain data; see `render_litellm_config`."""
    if upstream != OPENROUTER and not _SIMULATORS.fullmatch(upstream):
        raise ValueError(f"the upstream should be {OPENROUTER} or {SIMULATOR} (got {upstream!r})")
    return {
        "model_list": [_deployment(model, upstream, catalogue.data_policy.demands) for model in catalogue.models],
        "router_settings": _router_settings(catalogue, tuning),
        "litellm_settings": dict(litellm_schema.NEEDED["litellm_settings"]),
        # LiteLLM passes over a section that it does not know; ours reads it from here.
        "gateway_settings": {
            "deadline_seconds": tuning.deadline_seconds,
            "stream_deadline_seconds": tuning.stream_deadline_seconds,
            "first_token_seconds": tuning.longest_without_token(),
            "cooldown_seconds": tuning.cooldown_seconds,
            "allowed_fails": tuning.allowed_fails,
            "max_in_flight": tuning.max_in_flight,
            "max_queued": tuning.max_queued,
            "latency_buckets": list(LATENCY_BUCKETS),
            "models": {_deployment_id(model): known for model in catalogue.models if (known := _abilities(model))},
            "data_policy": list(catalogue.data_policy.closing),
            **_cache(tuning),
        },
    }


def _cache(tuning: RouterTuning) -> dict[str, Any]:
    """Return what the gateway keeps, and for how long; nothing when its cache is off (gateway/cached.py)."""
    if not tuning.cache_ttl_seconds:
        return {}
    return {"cache": {"ttl_seconds": tuning.cache_ttl_seconds, "features": list(tuning.cache_features)}}


def _abilities(model: FreeModel) -> dict[str, Any]:
    """Return what is known of a model; what is left out the gateway assumes."""
    takes = {} if model.takes is None else {"takes": list(model.takes)}
    return takes | ({} if model.context_tokens is None else {"context_tokens": model.context_tokens})


def _deployment(model: FreeModel, upstream: str, demands: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model_name": _group(model.name),
        "litellm_params": {
            "model": model.long_name,
            "api_base": upstream,
            "api_key": "os.environ/OPENROUTER_API_KEY",
            "extra_body": {"provider": {"max_price": litellm_schema.ZERO_PRICE, **demands}},
        },
        # Never equal to a model's name: cooldowns would be noted and then ignored.
        "model_info": {"id": _deployment_id(model)},
    }


def _deployment_id(model: FreeModel) -> str:
    return f"dep-{model.name}"


def _group(name: str) -> str:
    return f"up-{name}"


def _router_settings(catalogue: Catalogue, tuning: RouterTuning) -> dict[str, Any]:
    chains = [
        {name: [_group(other) for other in catalogue.fallbacks_of(model.name)]}
        for name, model in catalogue.client_names()
    ]
    return {
        "routing_strategy": "simple-shuffle",
        "num_retries": 0,
        "timeout": tuning.timeout_seconds,
        "stream_timeout": tuning.stream_timeout_seconds,
        "disable_cooldowns": True,
        "max_fallbacks": 1,
        "model_group_alias": {name: _group(model.name) for name, model in catalogue.client_names()},
        "fallbacks": chains,
        "content_policy_fallbacks": chains,  # these also rescue an answer without choices
        "context_window_fallbacks": chains,
    }
