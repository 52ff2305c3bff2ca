"""The cache of answers in front of the router: the same request gets the same answer, and costs one call.

Only requests that the settings call cacheable come here: those with temperature 0, and those of a feature that the
stack names. The key is all that the client sent, all that would be sent upstream, and the stack's own config: another
list of models or another data policy is another request. Identical requests at the same time share one call.
"""

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway import errors
from gateway.cached_answer import OddError, why_not_kept
from gateway.cached_flight import Answer, Ask, Flight, Seat, taken_over, worth_another
from gateway.cached_store import Store
from gateway.policy import RefusedError
from gateway.request_context import RequestContext

FEATURE_HEADER = b"x-friday-feature"
"""Which of Friday's features asks, as its client says."""

_OF_A_STREAM = frozenset({"stream", "stream_options"})
"""Fields that say how an answer is sent, and nothing about the answer."""


@dataclass(frozen=True)
class Rules:
    """What is cached besides temperature 0: requests whose `FEATURE_HEADER` names one of these features."""

    features: frozenset[str]

    def take(self, body: Mapping[str, Any], feature: str | None) -> bool:
        """Return whether a clean request is cacheable."""
        return body.get("temperature") == 0 or feature in self.features


@dataclass(frozen=True)
class Counters:
    """What is counted: cacheable requests by where their answer came from, answers that were kept, and what was not
    kept, by reason."""

    request: Callable[[str], None]
    stored: Callable[[], None]
    skipped: Callable[[str], None]


def text_of(version: str, body: Mapping[str, Any], asked: Mapping[str, Any]) -> bytes:
    """Return the text that makes a request: what is the same in it gets the same answer.

    `version` stands for the stack's config, `body` is what would be sent upstream, `asked` what the client sent. Of the
    latter all fields count, also those that are dropped: of two users whom a field tells apart, none gets the other's
    answer. `model` is left out of it, for it has several names. The order of fields counts only where it reaches a
    model, as in a JSON schema.
    """
    sent = {name: body[name] for name in sorted(body.keys() - _OF_A_STREAM)}
    said = {name: asked[name] for name in asked.keys() - _OF_A_STREAM - {"model"}}
    texts = (version, _text(sent), _text(said, sort=True))
    return "\n".join(texts).encode("utf-8", "surrogatepass")


def _text(value: object, *, sort: bool = False) -> str:
    return json.dumps(value, sort_keys=sort, separators=(",", ":"))


@dataclass
class Cached:
    """Asks the cache, then the models (`ask`).

    `version` stands for the stack's config. `names` has the one name for each name of a model under which its answers
    are kept, `models` what the upstream may be asked for.
    """

    ask: Ask
    rules: Rules
    store: Store
    counters: Counters
    version: str
    names: Mapping[str, str]
    models: Collection[str]
    _flights: dict[str, Flight] = field(default_factory=dict)

    async def answer(self, body: dict[str, Any], context: RequestContext) -> Answer:
        """Return the answer to a clean request; afterwards `context` has to be closed. Raises what `ask` raises.

        A request that waited for a call which failed makes its own, once. What it is told then is that call's error.
        """
        if not self.rules.take(body, context.feature):
            self.counters.skipped("not_cacheable")
            return await self.ask(body, context)
        body = {**body, "model": self.names[body["model"]]}
        key = self.store.name_of(text_of(self.version, body, context.asked))
        again = False
        while True:
            flight = self._flights.get(key)
            led = flight is None
            flight = flight or self._departed(key, body, context)
            how = "" if led else "hit" if flight.ended else "shared"  # one that has ended is just being kept
            try:
                return await self._arrived(flight, how, body, context)
            except OddError:  # a stream that cannot be told again, or that makes no plain answer
                return await self.ask(body, context)
            except Exception as error:
                if led or again or not worth_another(error):
                    taken_over(context, flight.context)
                    raise error if isinstance(error, RefusedError) else errors.told(context, 502) from None
                again = True

    async def _arrived(self, flight: Flight, how: str, body: Mapping[str, Any], context: RequestContext) -> Answer:
        """Wait for a flight's answer, and leave the flight unless the answer is a stream."""
        streams = bool(body.get("stream"))
        seat = Seat(flight, usage=bool((body.get("stream_options") or {}).get("include_usage")))
        kept = False
        try:
            if streams:
                await flight.begun()
            document = None if streams else await flight.whole()
            kept = streams
        finally:
            if not kept:
                await seat.aclose()
        taken_over(context, flight.context)
        context.cached = "hit" if flight.source == "hit" else how
        context.seat = seat
        self.counters.request(context.cached or flight.source)
        return seat if document is None else document

    def _departed(self, key: str, body: dict[str, Any], context: RequestContext) -> Flight:
        flight = Flight(RequestContext(deadline=context.deadline, unable=context.unable))
        self._flights[key] = flight
        flight.depart(self._fly(key, flight, body), lambda: self._gone(key, flight))
        return flight

    def _gone(self, key: str, flight: Flight) -> None:
        """Let nobody join a flight any more."""
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _fly(self, key: str, flight: Flight, body: dict[str, Any]) -> None:
        """Look for the answer, else ask for it and keep it. Requests that come meanwhile share all of it."""
        try:
            if not await self._found(key, flight):
                # Whoever shares a stream may want the usage, and so does a plain answer.
                sent = {**body, "stream_options": {"include_usage": True}} if body.get("stream") else body
                await flight.carry(await self.ask(sent, flight.context))
                await self._keep(key, flight)
        except asyncio.CancelledError:
            if not flight.ended:
                self.counters.skipped("left")
            raise
        except Exception as error:
            self.counters.skipped("failed")
            self._gone(key, flight)  # before its followers look for another
            flight.fail(error)
        finally:
            self._gone(key, flight)
            await flight.context.close()

    async def _found(self, key: str, flight: Flight) -> bool:
        """Land a flight with the answer that is kept; return whether there is one, of a model that is still asked."""
        found = await self.store.get(key)
        flight.source = found.why
        if found.text is None:
            return False
        model, _, text = found.text.partition(b"\n")
        document = json.loads(text)
        if model.decode() not in self.models or why_not_kept(document):
            flight.source = "damaged"
            return False
        flight.context.model = model.decode()
        flight.land(document)
        return True

    async def _keep(self, key: str, flight: Flight) -> None:
        document, model = flight.document, flight.context.model
        why = "odd" if document is None or model is None else why_not_kept(document)
        why = why or await self.store.set(key, f"{model}\n{_text(document)}".encode())
        if why:
            self.counters.skipped(why)
        else:
            self.counters.stored()
