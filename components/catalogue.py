"""The catalogue of free models: which ones, under which names, and how they stand in for each other."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

import yaml
from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from components.settings.base import Count, Settings, group, matching

MINIMUM_MODELS = 5
"""Fewer leave no room: one or two free models are usually out of quota or retired at any time."""

FREE_ROUTER = "openrouter/free"
"""OpenRouter's own router, which picks any free model: the only id without ":free" that is served, and only where a
stack file names it. Whatever it picks, each call asks for a price of 0."""

FRIDAY_DEFAULT = "openrouter/z-ai/glm-4.5-air:free"
"""What Friday's stock client asks the gateway for when a call names no model: nearly all of its calls."""

FRIDAY_NAMES = (
    FRIDAY_DEFAULT,
    "openrouter/openai/gpt-oss-20b:free",
    "openrouter/deepseek/deepseek-chat-v3.1:free",
    "openrouter/qwen/qwen3-coder:free",
    "openrouter/minimax/minimax-m2:free",
    "openrouter/moonshotai/kimi-k2:free",
    "openrouter/google/gemma-3-27b-it:free",
)
"""All that it can ask for (Friday AI's map of models)."""

RESERVED_PREFIXES = ("up-", "dep-")
"""Names of the rendered deployments: a client name that begins like one would reach past the aliases."""


def _not_reserved(value: str) -> str:
    if value.startswith(RESERVED_PREFIXES):
        raise ValueError(f"{' and '.join(RESERVED_PREFIXES)} begin the gateway's internal names")
    return value


ModelName = Annotated[
    str,
    matching(r"[a-z0-9][a-z0-9._-]{0,63}", "not 1 to 64 of a-z 0-9 . _ - after a letter or digit"),
    AfterValidator(_not_reserved),
]
ModelId = Annotated[
    str,
    matching(rf"(?s:.*):free|{FREE_ROUTER}", 'it does not end in ":free"'),
    matching(rf"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*:free|{FREE_ROUTER}", "not vendor/model:free in lower case"),
]
Alias = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}",
        "not 1 to 128 letters, digits or . _ : / @ + - ; a comma would name two models at once",
    ),
    AfterValidator(_not_reserved),
]

Ability = Literal["image", "tools", "response_format", "structured_outputs"]
"""What a request may need of a model, in the words of OpenRouter's catalogue: `image` is one of its
`architecture.input_modalities`, the others are of its `supported_parameters` (`response_format` is JSON of any form,
`structured_outputs` JSON of a schema)."""
ABILITIES: tuple[Ability, ...] = get_args(Ability)

Prompts = Literal["deleted", "kept", "trained-on"]
"""What the provider of a model does with prompts once they are answered."""


class FreeModel(Settings):
    """One free model of OpenRouter, the names that clients may call it by, and what it takes.

    What is not known of a model (None) is assumed: it gets every request.
    """

    name: ModelName = Field(description="a short name such as gemma-4-31b")
    id: ModelId = Field(
        description=f'an OpenRouter model id that ends in ":free", such as google/gemma-4-31b-it:free, or {FREE_ROUTER}'
    )
    aliases: tuple[Alias, ...] = Field(default=(), description="a list of further names, such as glm-4.5-air-free")
    takes: tuple[Ability, ...] | None = Field(
        default=None,
        description=f"a list of what it takes besides text ({', '.join(ABILITIES)}); left out, everything",
    )
    context_tokens: Count | None = Field(
        default=None, ge=1, description="a whole number of tokens that a request and its answer may have together"
    )

    prompts: Prompts | None = Field(
        default=None, description="what its provider does with prompts: deleted, kept or trained-on; left out, unknown"
    )

    @property
    def long_name(self) -> str:
        """The name in the form that OpenAI clients with a provider prefix use."""
        return f"openrouter/{self.id}"

    @property
    def client_names(self) -> tuple[str, ...]:
        """Every name that is answered by this model, short one first."""
        return (self.name, self.long_name, *self.aliases)


class DataPolicySettings(Settings):
    """What providers may do with prompts: asked of OpenRouter with each call (its `provider` preferences).

    What is not set is not asked for; then the account's own privacy setting decides.
    """

    data_collection: Literal["allow", "deny"] | None = Field(
        default=None, description="allow or deny: whether providers may be used that store prompts or train on them"
    )
    zdr: bool = Field(
        default=False, description="true or false; true: only endpoints with zero data retention, which keep no prompts"
    )

    @property
    def demands(self) -> Mapping[str, str | bool]:
        """Return the fields of OpenRouter's `provider` that say so."""
        asked = {"data_collection": self.data_collection, "zdr": self.zdr}
        return {name: value for name, value in asked.items() if value}

    @property
    def closing(self) -> tuple[str, ...]:
        """Return the settings that keep providers out, as an error names them."""
        denies = ("dataPolicy.dataCollection: deny",) if self.data_collection == "deny" else ()
        return denies + (("dataPolicy.zdr: true",) if self.zdr else ())

    def closes(self, prompts: Prompts | None) -> bool:
        """Return whether it keeps out a model whose provider does this with prompts."""
        kept_out = ("kept", "trained-on") if self.zdr else ("trained-on",) if self.data_collection == "deny" else ()
        return prompts in kept_out


@cache
def default_models() -> tuple[FreeModel, ...]:
    """Return the models of models.yaml: what a stack serves when it says nothing else."""
    document = yaml.safe_load(Path(__file__).with_name("models.yaml").read_text(encoding="utf-8"))
    return TypeAdapter(tuple[FreeModel, ...]).validate_python(document["models"])


class Catalogue(Settings):
    """The free models of a stack and the order in which they stand in for each other.

    `fallback_order` holds short names; without it the list's own order counts. A model left out of it is
    never used in another one's place.
    """

    models: tuple[FreeModel, ...] = Field(
        default_factory=default_models,
        min_length=MINIMUM_MODELS,
        max_length=50,
        description=f"a list of {MINIMUM_MODELS} to 50 free models, each with name, id and aliases",
    )
    fallback_order: tuple[str, ...] | None = Field(
        default=None,
        min_length=2,
        description="a list of the models' names in the order in which they stand in for each other",
    )

    data_policy: DataPolicySettings = group(DataPolicySettings, "a map of what providers may do with prompts")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        owners: dict[str, str] = {}
        for model in self.models:
            for name in (*model.client_names, model.id):
                if name in owners:
                    raise ValueError(
                        f"every name, id and alias should occur once (got {name!r} for {owners[name]!r}"
                        f" and for {model.name!r}; a model answers to openrouter/<its id> without an alias)"
                    )
                owners[name] = model.name
        if FRIDAY_DEFAULT not in owners:
            raise ValueError(
                f"models should hold one with the alias {FRIDAY_DEFAULT}, which Friday asks for by default"
                " (no model has it: every such call would be refused and fall back)"
            )
        return self

    @model_validator(mode="after")
    def _fallbacks_resolve(self) -> Self:
        names = [model.name for model in self.models]
        order = self.fallback_order or ()
        for name in order:
            if name not in names:
                raise ValueError(f"fallbackOrder should hold names of the list: {', '.join(names)} (got {name!r})")
            if order.count(name) > 1:
                raise ValueError(f"fallbackOrder should hold each name once (got {name!r} twice)")
        return self

    def fallbacks_of(self, name: str) -> tuple[str, ...]:
        """Return the short names to try when `name` fails: those after it, then those before it.

        OpenRouter's router always comes last: nobody knows which model it picks.
        """
        order = self.fallback_order or tuple(model.name for model in self.models)
        start = order.index(name) + 1 if name in order else 0
        routers = [model.name for model in self.models if model.id == FREE_ROUTER]
        others = (other for other in (*order[start:], *order[:start]) if other != name)
        return tuple(sorted(others, key=lambda other: other in routers))

    def client_names(self) -> Iterator[tuple[str, FreeModel]]:
        """Yield every name that clients may send, with the model that answers it first."""
        for model in self.models:
            for name in model.client_names:
                yield name, model
