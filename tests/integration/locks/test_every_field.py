"""Every field and header that the installed LiteLLM knows, one by one: none leads to money or to another host."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway.chat_fields import PASSED
from testing.record import Record, Recorder
from tests.integration.locks.closed import AUTHORIZATION, CHAT, Closed, Names, Tried, in_turn, values

pytestmark = [pytest.mark.engine, pytest.mark.beside]
SENT = {*PASSED, "model", "usage", "provider"}


def _message(inner: dict[str, Any]) -> dict[str, Any]:
    return {**CHAT, "messages": [{**inner, "role": "user", "content": "Hi"}]}


def _tool(inner: dict[str, Any]) -> dict[str, Any]:
    return {**CHAT, "tools": [{**inner, "type": "function", "function": {"name": "f"}}]}


PLACES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "message": _message,
    "tool": _tool,
    "metadata": lambda inner: {**CHAT, "metadata": inner},
    "response_format": lambda inner: {**CHAT, "response_format": {**inner, "type": "text"}},
}
"""Maps that a chat may hold, each with something inside of it."""


def chat(name: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    path = "/v1/chat/completions"
    return {"name": name, "method": "POST", "path": path, "headers": {**AUTHORIZATION, **headers}, "body": body}


def tried(network: Closed, record: Recorder, what: str, inputs: list[dict[str, Any]]) -> Tried:
    """Send them, write the count down, and check what is true of all of them."""
    begun = time.monotonic()
    found = network.over_http(inputs)
    wrong = [name for name, status in found.by_name.items() if status not in (200, 400, 403)]
    refused = sum(status != 200 for status in found.by_name.values())
    figures: dict[str, float | str] = {
        **{"dollars": found.bill, "calls of other hosts": len(found.foreign) + found.without_route},
        "calls upstream": sum(found.models.values()),
    }
    seconds = time.monotonic() - begun
    record(
        Record(
            group="locks",
            name=what,
            tried=len(inputs),
            failed=len(wrong),
            refused=refused,
            seconds=seconds,
            figures=figures,
        )
    )
    assert wrong == []
    found.cost_nothing()
    for each in found.requests:
        assert {"provider", "model", "messages"} <= set(each["body_fields"]) <= SENT
    return found


def test_each_field_of_litellms_is_dropped_or_refused(network: Closed, names: Names, record: Recorder) -> None:
    assert len(names.fields) > 300
    inputs = [chat(name, {**CHAT, name: value}) for name, value in in_turn(names.fields).items()]
    found = tried(network, record, f"each field of LiteLLM {names.version}", inputs)
    assert found.by_name["store"] == 200
    assert found.by_name["api_base"] == found.by_name["model_list"] == 403
    assert sum(found.models.values()) == sum(status == 200 for status in found.by_name.values())


def test_each_header_of_litellms_steers_nothing(network: Closed, names: Names, record: Recorder) -> None:
    assert len(names.headers) > 20
    inputs = [chat(name, CHAT, **{name: str(values(name)["address"])}) for name in names.headers]
    found = tried(network, record, f"each header of LiteLLM {names.version}", inputs)
    assert set(found.by_name.values()) == {200}
    assert found.models == {"google/gemma-4-31b-it:free": len(inputs)}


@pytest.mark.slow
def test_each_field_holds_whatever_its_value_and_place(network: Closed, names: Names, record: Recorder) -> None:
    """At the top with each kind of value, and inside of each map that a chat may hold."""
    inputs = [
        chat(f"{name}={kind}", {**CHAT, name: value}) for name in names.fields for kind, value in values(name).items()
    ]
    for place, holding in PLACES.items():
        inputs += [chat(f"{place}.{name}", holding({name: values(name)["map"]})) for name in names.fields]
    tried(network, record, f"each field of LiteLLM {names.version} with six values and in {len(PLACES)} maps", inputs)
