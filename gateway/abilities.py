"""What a request needs of a model, and which models of the stack take it.

OpenRouter answers 404 for tools or a picture that a model does not take, and 400 for a conversation that is too long.
Each of these is a call of the quota, and none says anything about the model's health. So a request is only given to
models that take it, as far as the stack's settings know; what they do not know of a model is assumed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from gateway.policy import RefusedError

BYTES_PER_TOKEN = 6
"""No tokenizer is asked: text of people and code has three to five bytes a token. With six a request counts as too
long only when it is so beyond doubt; the models judge the others."""


@dataclass(frozen=True)
class Takes:
    """What one model takes, by OpenRouter's words for it; None where that is not known."""

    abilities: frozenset[str] | None = None
    context_tokens: int | None = None


@dataclass(frozen=True)
class Need:
    """One thing that a request needs: the ability, the field that needs it, and the words for it."""

    ability: str
    param: str
    words: str


@dataclass(frozen=True)
class Abilities:
    """The models of a stack: what each takes, by LiteLLM's ids of them, and which ones may answer each client name."""

    takes: Mapping[str, Takes]
    chains: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Read a rendered config.

        Raises ValueError for a model that it does not have; KeyError, TypeError or AttributeError for another form.
        """
        groups = {entry["model_name"]: entry["model_info"]["id"] for entry in config["model_list"]}
        router = config["router_settings"]
        after = {name: targets for entry in router.get("fallbacks") or () for name, targets in entry.items()}
        chains = {
            name: tuple(groups[each] for each in (group, *after.get(name, ())))
            for name, group in router["model_group_alias"].items()
        }
        known = (config.get("gateway_settings") or {}).get("models") or {}
        if strangers := sorted(known.keys() - set(groups.values())):
            raise ValueError(f"it knows what {', '.join(strangers)} takes, and has no such model")
        return cls({name: _takes(known.get(name, {})) for name in groups.values()}, chains)

    def unable(self, request: Mapping[str, Any], size: int) -> frozenset[str]:
        """Return the models that a clean request must not be given to; `size` is that of its JSON, in bytes.

        Raises `RefusedError` (400) with the field that needs too much when none of its models takes it.
        """
        needs = list(needs_of(request))
        tokens = tokens_of(request, size)
        unable = frozenset(name for name, takes in self.takes.items() if not _fits(takes, needs, tokens))
        chain = self.chains.get(request["model"], ())
        if chain and unable.issuperset(chain):
            raise self._refusal(chain, needs, tokens)
        return unable

    def _refusal(self, chain: tuple[str, ...], needs: list[Need], tokens: int) -> RefusedError:
        """Name the first need that no model meets by itself, the length, or all that none takes together."""
        takes = [self.takes[name] for name in chain]
        alone = next((need for need in needs if not any(_fits(each, [need], 0) for each in takes)), None)
        if alone is not None:
            return _unsupported(f"none of this model's free models takes {alone.words}", alone.param)
        if not any(_fits(each, [], tokens) for each in takes):
            longest = max(each.context_tokens or 0 for each in takes)
            said = f"the conversation and max_tokens need {tokens} tokens or more, the models take at most {longest}"
            return RefusedError(400, "context_length_exceeded", said, param="messages")
        together = " and ".join(need.words for need in needs)
        long = any(_fits(each, needs, 0) for each in takes)
        said = f"{together} in a conversation this long" if long else f"{together} in one request"
        return _unsupported(f"none of this model's free models takes {said}", needs[0].param)


def needs_of(request: Mapping[str, Any]) -> Iterator[Need]:
    """Yield what a clean request needs besides text."""
    if request.get("tools"):
        yield Need("tools", "tools", "tools")
    wanted = (request.get("response_format") or {}).get("type")
    if wanted == "json_object":
        yield Need("response_format", "response_format", "JSON as the answer's form")
    elif wanted == "json_schema":
        yield Need("structured_outputs", "response_format", "a JSON schema for the answer")
    picture = next(_pictures(request), None)
    if picture is not None:
        yield Need("image", picture[0], "pictures")


def tokens_of(request: Mapping[str, Any], size: int) -> int:
    """Return the tokens that a request needs at the least: its text, without pictures, and what it asks to be answered.

    `size` is the length of its JSON in bytes.
    """
    text = size - sum(len(url) for _, url in _pictures(request))
    asked = request.get("max_completion_tokens") or request.get("max_tokens") or 0
    return text // BYTES_PER_TOKEN + int(asked)


def _pictures(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where each picture is in the request, and its data."""
    for number, message in enumerate(request["messages"]):
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if part.get("type") == "image_url":
                yield f"messages[{number}].content[{place}]", part["image_url"]["url"]


def _takes(known: Mapping[str, Any]) -> Takes:
    abilities = known.get("takes")
    return Takes(None if abilities is None else frozenset(abilities), known.get("context_tokens"))


def _fits(takes: Takes, needs: list[Need], tokens: int) -> bool:
    able = takes.abilities is None or takes.abilities.issuperset(need.ability for need in needs)
    return able and (takes.context_tokens is None or tokens <= takes.context_tokens)


def _unsupported(message: str, param: str) -> RefusedError:
    return RefusedError(400, "unsupported_by_models", message, param=param)
