"""The catalogue of free models: which ones, under which names, and how they stand in for each other."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

import yaml
from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from components.settings.base import Count, Settings, matching

MINIMUM_MODELS = 5
"""Fewer leave no room: one or two free models are usually out of quota or retired at any time."""

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
    matching(r"(?s:.*):free", 'it does not end in ":free"'),
    matching(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*:free", "not vendor/model:free in lower case"),
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


class FreeModel(Settings):
    """One free model of OpenRouter, the names that clients may call it by, and what it takes.

    What is not known of a model (None) is assumed: it gets every request.
    """

    name: ModelName = Field(description="a short name such as gemma-4-31b")
    id: ModelId = Field(description='an OpenRouter model id that ends in ":free", such as google/gemma-4-31b-it:free')
    aliases: tuple[Alias, ...] = Field(default=(), description="a list of further names, such as glm-4.5-air-free")
    takes: tuple[Ability, ...] | None = Field(
        default=None,
        description=f"a list of what it takes besides text ({', '.join(get_args(Ability))}); left out, everything",
    )
    context_tokens: Count | None = Field(
        default=None, ge=1, description="a whole number of tokens that a request and its answer may have together"
    )

    @property
    def long_name(self) -> str:
        """The name in the form that OpenAI clients with a provider prefix use."""
        return f"openrouter/{self.id}"

    @property
    def client_names(self) -> tuple[str, ...]:
        """Every name that is answered by this model, short one first."""
        return (self.name, self.long_name, *self.aliases)


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
        """Return the short names to try when `name` fails: those after it, then those before it."""
        order = self.fallback_order or tuple(model.name for model in self.models)
        start = order.index(name) + 1 if name in order else 0
        return tuple(other for other in (*order[start:], *order[:start]) if other != name)

    def client_names(self) -> Iterator[tuple[str, FreeModel]]:
        """Yield every name that clients may send, with the model that answers it first."""
        for model in self.models:
            for name in model.client_names:
                yield name, model
