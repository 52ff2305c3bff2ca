"""Test builds in which all locks inside the gateway are off but one: what that one stops, it stops by itself.

Where a lock is not meant to stop everything, the test says what it covers. The first test shows that without any lock
the same inputs do cost money and reach another host: else the others would prove nothing.
"""

import time
from collections.abc import Iterable
from typing import Any

import pytest

from testing.record import Record, Recorder
from tests.integration.locks.closed import AUTHORIZATION, CHAT, ELSEWHERE, FREE, Closed, Names, Tried, in_turn, values

pytestmark = [pytest.mark.engine, pytest.mark.beside]

LEADING: dict[str, dict[str, Any]] = {
    "as a client asks": {},
    "another host": {"base_url": f"{ELSEWHERE}/base_url"},
    "another host of the deployment's": {"api_base": f"{ELSEWHERE}/api_base"},
    "a paid service": {"web_search_options": values("web_search_options")["map"]},
}
"""Parameters of LiteLLM's that its own router obeys."""


def inside(
    network: Closed, record: Recorder, lock: str, inputs: dict[str, dict[str, Any]], *locks: str, **prices: str
) -> Tried:
    """Give inputs to the router with these locks alone, and write down how many there were."""
    begun = time.monotonic()
    found = network.inside(inputs, *locks, **prices)
    figures: dict[str, float | str] = {"dollars": found.bill, "calls of other hosts": len(found.foreign)}
    seconds = time.monotonic() - begun
    record(Record(group="locks", name=f"{lock} alone", tried=len(inputs), seconds=seconds, figures=figures))
    return found


def chats(fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: {**CHAT, name: value} for name, value in fields.items()}


def steered(inputs: Iterable[str], found: Tried) -> set[str]:
    return {name for name in inputs if found.by_name[name] in ("answered", "answered by LiteLLM")}


def test_without_any_lock_it_costs_money_and_reaches_another_host(network: Closed) -> None:
    found = network.inside({name: {**CHAT, **fields} for name, fields in LEADING.items()})
    assert found.by_name["as a client asks"] == "answered"
    assert found.bill > 0
    assert {line.split("/")[1] for line in found.foreign} == {"base_url", "api_base"}


@pytest.mark.parametrize("lock", ["guard", "transport"])
def test_each_of_the_two_that_look_at_calls_stops_what_leads_elsewhere(
    network: Closed, record: Recorder, lock: str
) -> None:
    inputs = {name: {**CHAT, **fields} for name, fields in LEADING.items()}
    found = inside(network, record, f"the {lock}", inputs, lock, "price")
    found.cost_nothing()
    assert steered(inputs, found) == {"as a client asks"}


def test_what_sends_calls_lets_none_go_to_another_host(network: Closed, record: Recorder) -> None:
    """It looks at the host and the key only: which model and what price are the others' business."""
    inputs = {name: {**CHAT, **LEADING[name]} for name in LEADING if name != "a paid service"}
    found = inside(network, record, "what sends calls", inputs, "leaving")
    assert (found.foreign, found.without_route) == ([], 0)
    assert steered(inputs, found) == {"as a client asks"}


@pytest.mark.slow
def test_the_price_limit_alone_refuses_models_that_have_got_a_price(network: Closed, record: Recorder) -> None:
    """It covers what no id shows. Other hosts and paid services it does not know."""
    charged = network.inside({"plain": CHAT}, price="0.000001")
    assert charged.bill > 0
    refused = inside(network, record, "the price limit", {"plain": CHAT}, "price", price="0.000001")
    assert (refused.bill, set(refused.models)) == (0, FREE)


def test_the_request_filter_alone_lets_nothing_through(network: Closed, names: Names, record: Recorder) -> None:
    """A build that has it and no lock behind it, not even the price limit in its config."""
    begun = time.monotonic()
    inputs = [
        {
            "name": name,
            "method": "POST",
            "path": "/v1/chat/completions",
            "headers": AUTHORIZATION,
            "body": body,
        }
        for name, body in chats(in_turn(names.fields)).items()
    ]
    found = network.over_http(inputs, "tests.integration.locks.unlocked")
    seconds = time.monotonic() - begun
    record(Record(group="locks", name="the request filter alone", tried=len(inputs), seconds=seconds))
    found.cost_nothing()
    assert set(found.by_name.values()) == {200, 400, 403}


@pytest.mark.slow
@pytest.mark.parametrize("lock", ["guard", "transport"])
def test_each_of_the_two_that_look_at_calls_holds_for_every_field(
    network: Closed, names: Names, record: Recorder, lock: str
) -> None:
    inputs = chats(in_turn(names.fields))
    found = inside(network, record, f"the {lock}, with each field of LiteLLM {names.version},", inputs, lock, "price")
    found.cost_nothing()
    assert sum(found.models.values()) > 100
