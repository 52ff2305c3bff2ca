"""The models: prices, retirement, and the model that a requested id means."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator

from simulator import errors
from simulator.config import ConfigError

Retirement = Literal["no_endpoints", "paid_only", "free_ended"]
_RETIRED: dict[Retirement, str] = {
    "no_endpoints": "No endpoints found for {id}.",
    "paid_only": (
        "This model is unavailable for free. The paid version is available now - use this slug instead: {paid}"
    ),
    "free_ended": "{id} is no longer available as a free model. Paid version: {paid}",
}
"""What a caller of a retired model is told."""
ONLINE = ":online"
_SAME = {"id", "name", "created", "description", "context_length", "pricing", "supported_parameters", "expiration_date"}
"""Fields that the public listing has under the same name."""


class Pricing(BaseModel, extra="forbid", frozen=True):
    """US dollars per token (`prompt`, `completion`) or per unit, as decimal strings; -1 means it varies."""

    prompt: str = "0"
    completion: str = "0"
    request: str = "0"
    image: str = "0"
    web_search: str = "0"
    internal_reasoning: str = "0"

    @field_validator("*")
    @classmethod
    def _is_decimal(cls, value: str) -> str:
        if not re.fullmatch(r"-1|\d+(\.\d+)?(e-\d+)?", value):
            raise ValueError("should be a decimal number in a string")
        return value

    def is_zero(self) -> bool:
        """Return whether every price is 0; the id alone does not make a model free."""
        return all(Decimal(price) == 0 for price in self.model_dump().values())


class Model(BaseModel, extra="forbid", frozen=True):
    """One model. First the fields of the public listing, then those that only the simulator knows."""

    id: Annotated[str, Field(pattern=r"^[\w.\-]+/[\w.\-]+(:free)?$")]
    name: str
    created: int
    description: str = ""
    context_length: Annotated[int, Field(gt=0)]
    max_completion_tokens: Annotated[int, Field(gt=0)] | None = None
    input_modalities: tuple[str, ...] = ("text",)
    tokenizer: str = "Other"
    pricing: Pricing = Pricing()
    supported_parameters: tuple[str, ...] = ("max_tokens", "temperature", "top_p", "stop", "seed")
    expiration_date: dt.date | None = None

    provider_name: str = "Simulated"
    retired: Retirement | None = None
    needs_credits: bool = False
    """Answers 402 although it is listed as free: a price of 0 does not guarantee a free answer."""
    charges: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] = Decimal(0)
    """US dollars that each answer costs beside what is listed: no lock of a caller's can know of them beforehand."""
    routes_to: str | None = None
    """A router's target: one id, or `free` for any free model."""
    closed: bool = False
    """Answers 403 to callers that are no known application, as some free models do since 2026."""
    thinks_ms: Annotated[float, Field(ge=0, le=600_000)] = 0
    """The time for which it streams its thoughts before the answer."""
    tool_name_pattern: str | None = None
    """The names of functions that its provider takes."""
    data_collection: bool = False
    """Its provider may train on prompts, so `provider.data_collection: deny` leaves it out."""
    zdr: bool = False
    """Its provider keeps no prompts, so `provider.zdr` leaves it in."""

    @property
    def is_free_variant(self) -> bool:
        """Return whether the account's free-model limits count it."""
        return self.id.endswith(":free")

    def cost(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """Return the price of one answered request in dollars."""
        p = self.pricing
        tokens = Decimal(p.prompt) * prompt_tokens + Decimal(p.completion) * completion_tokens
        return tokens + Decimal(p.request) + self.charges

    def above(self, max_price: dict[str, float]) -> bool:
        """Return whether a listed price exceeds `provider.max_price` (dollars per million tokens, or per unit)."""
        per_million = Decimal(1_000_000)
        return any(
            Decimal(getattr(self.pricing, what)) * (per_million if what in ("prompt", "completion") else 1)
            > Decimal(str(ceiling))
            for what, ceiling in max_price.items()
            if what in ("prompt", "completion", "request", "image")
        )

    def listing(self) -> dict[str, Any]:
        """Return the entry of `GET /api/v1/models`."""
        return {
            **self.model_dump(mode="json", include=_SAME),
            "canonical_slug": self.id.removesuffix(":free"),
            "hugging_face_id": "",
            "architecture": {
                "modality": f"{'+'.join(self.input_modalities)}->text",
                "input_modalities": list(self.input_modalities),
                "output_modalities": ["text"],
                "tokenizer": self.tokenizer,
                "instruct_type": None,
            },
            "top_provider": {
                "context_length": self.context_length,
                "max_completion_tokens": self.max_completion_tokens,
                "is_moderated": False,
            },
            "per_request_limits": None,
            "default_parameters": {},
            "knowledge_cutoff": None,
        }

    def endpoint(self) -> dict[str, Any]:
        """Return its only endpoint, as `GET /models/{author}/{slug}/endpoints` and `GET /endpoints/zdr` list it."""
        return {
            "name": f"{self.provider_name} | {self.id}",
            "model_id": self.id,
            "model_name": self.name,
            "context_length": self.context_length,
            "pricing": self.pricing.model_dump(),
            "provider_name": self.provider_name,
            "tag": self.provider_name.lower().replace(" ", "-"),
            "quantization": "unknown",
            "max_completion_tokens": self.max_completion_tokens,
            "max_prompt_tokens": None,
            "supported_parameters": list(self.supported_parameters),
            "status": 0,
            "uptime_last_30m": None,
            "supports_implicit_caching": False,
        }


class ModelUpdate(BaseModel, extra="forbid"):
    """A change to one model at run time; absent fields stay."""

    id: str
    retired: Retirement | None = None
    expiration_date: dt.date | None = None
    pricing: Pricing | None = None
    needs_credits: bool | None = None
    charges: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)] | None = None
    closed: bool | None = None
    thinks_ms: Annotated[float, Field(ge=0, le=600_000)] | None = None
    tool_name_pattern: Annotated[str, Field(max_length=200)] | None = None
    data_collection: bool | None = None
    zdr: bool | None = None


_MAY_BE_ABSENT = ("retired", "expiration_date", "tool_name_pattern")


class Catalogue:
    """The models by id, retired ones too. `reset` restores the file's."""

    def __init__(self, models: list[Model]) -> None:
        self._original = {model.id: model for model in models}
        self.models = dict(self._original)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file. Raises `ConfigError`."""
        try:
            models = TypeAdapter(list[Model]).validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ConfigError(f"{path}: should be a JSON list of models: {error}") from error
        if len({model.id for model in models}) != len(models):
            raise ConfigError(f"{path}: a model id appears twice")
        return cls(models)

    def reset(self) -> None:
        """Undo all updates."""
        self.models = dict(self._original)

    def update(self, change: ModelUpdate) -> Model:
        """Apply a change. Raises `ApiError` 404 for an unknown id."""
        model = self.models.get(change.id)
        if model is None:
            raise errors.ApiError(404, f"No model {change.id} in the catalogue")
        fields = {name: getattr(change, name) for name in change.model_fields_set}
        # null clears what may be absent; a price or a flag cannot be absent.
        fields = {k: v for k, v in fields.items() if v is not None or k in _MAY_BE_ABSENT}
        self.models[change.id] = model.model_copy(update=fields)
        return self.models[change.id]

    def live(self, today: dt.date) -> list[Model]:
        """Return the listed models: neither retired nor past their expiration date."""
        return [m for m in self.models.values() if retirement(m, today) is None]

    def free(self, today: dt.date) -> list[Model]:
        """Return the models that `openrouter/free` may select."""
        return [
            m
            for m in self.live(today)
            if m.is_free_variant and m.pricing.is_zero() and not (m.needs_credits or m.closed)
        ]

    def resolve(self, requested: str, today: dt.date) -> tuple[Model, bool]:
        """Return the model of a requested id and whether its `:online` variant was asked for.

        Raises `ApiError` 400 for an unknown id and 404 for a retired model.
        """
        name = requested.removesuffix(ONLINE).removesuffix(":nitro").removesuffix(":floor")
        model = self.models.get(name)
        if model is None:
            # An unknown free variant of a known model is a missing endpoint; any other unknown name is invalid.
            if name.removesuffix(":free") in self.models:
                raise errors.ApiError(404, f"No endpoints found for {name}.")
            raise errors.ApiError(400, f"{requested} is not a valid model ID")
        if (reason := retirement(model, today)) is not None:
            raise errors.ApiError(404, _RETIRED[reason].format(id=model.id, paid=model.id.removesuffix(":free")))
        return model, requested.endswith(ONLINE)


def retirement(model: Model, today: dt.date) -> Retirement | None:
    """Return why the model does not answer on `today`, or None. The expiration date is its last day."""
    if model.retired is None and model.expiration_date is not None and model.expiration_date < today:
        return "no_endpoints"
    return model.retired
