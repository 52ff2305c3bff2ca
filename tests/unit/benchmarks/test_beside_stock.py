"""The measurements beside stock LiteLLM: the upstream, what is started, the arithmetic."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from benchmarks.calls import Spent
from benchmarks.gateways import OURS, STOCK, of_checkout
from benchmarks.gateways import stock as stock_gateway
from benchmarks.instant_upstream import PATH, application, question
from benchmarks.measures import beside_stock
from benchmarks.measures.beside_stock import CHAT, EVENTS, FEW_EVENTS, RATE, figures, in_turn, of_one_event
from benchmarks.measures.profile import shares
from testing.project import ROOT
from toolchain import lock


@asynccontextmanager
async def asked(stream: bool, **wanted: int) -> AsyncIterator[str]:
    body = {"model": "m:free", "messages": [{"role": "user", "content": question(**wanted)}], "stream": stream}
    async with (
        TestServer(application()) as server,
        ClientSession() as http,
        http.post(server.make_url(f"{PATH}/chat/completions"), json=body) as answer,
    ):
        assert answer.status == 200
        yield await answer.text()


def test_the_upstream_streams_as_many_events_as_are_asked_for() -> None:
    async def stream() -> str:
        async with asked(True, events=5, every=1) as text:
            return text

    events = asyncio.run(stream()).split("\n\n")
    assert len([event for event in events if '"content"' in event]) == 5
    assert '"finish_reason": "stop"' in events[4]
    assert events[-2] == "data: [DONE]"


def test_the_upstream_answers_a_plain_question() -> None:
    async def plain() -> str:
        async with asked(False, wait=1) as text:
            return text

    assert '"finish_reason": "stop"' in asyncio.run(plain())


def test_each_round_begins_with_another_gateway() -> None:
    compared = [replace(of_checkout(ROOT, OURS), name=name) for name in (OURS, "older", STOCK)]
    begun = [[each.name for each in in_turn(compared, number)] for number in (0, 1, 3)]
    assert begun == [[OURS, "older", STOCK], ["older", STOCK, OURS], [OURS, "older", STOCK]]


def test_an_event_costs_what_a_longer_stream_costs_more() -> None:
    many, few = Spent(10, 10 * 0.210, 1), Spent(10, 10 * 0.012, 1)
    assert of_one_event(many, few) == pytest.approx(198 / (EVENTS - FEW_EVENTS))


def test_ours_is_judged_against_stock_and_reported_against_another_checkout() -> None:
    found = figures(CHAT, {OURS: [4.0, 5.0], "older": [8.0, 10.0], STOCK: [10.0, 10.0]}, "noted")
    ratios = {each.what: each for each in found if each.unit == "times"}
    of_stock = ratios["processor time of a plain chat, ours of stock's"]
    assert (of_stock.values, of_stock.ok) == ((0.4, 0.5), True)
    assert ratios["processor time of a plain chat, ours of older's"].target is None
    assert [each.note for each in found if each.note] == ["noted"]


@pytest.mark.parametrize(("ours", "ok"), [(201.0, True), (199.0, False)])
def test_twice_as_many_chats_a_second_are_wanted(ours: float, ok: bool) -> None:
    (judged,) = [each for each in figures(RATE, {OURS: [ours], STOCK: [100.0]}, "") if each.target is not None]
    assert judged.ok is ok
    assert "times as many" in judged.note


def test_a_checkout_says_how_its_gateway_is_started() -> None:
    ours = of_checkout(ROOT, OURS)
    assert ours.files["gateway/serve.py"] == (ROOT / "gateway/serve.py").read_text()
    assert ours.model in yaml.safe_load(ours.config)["router_settings"]["model_group_alias"]


def test_a_folder_that_is_no_checkout_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="should be a checkout of this project"):
        of_checkout(tmp_path, "older")


def test_stock_has_the_same_models_and_none_of_our_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("images.build.ensure", lambda *_: None)
    ours = of_checkout(ROOT, OURS)
    stock = stock_gateway(ours)
    mine, theirs = (yaml.safe_load(each.config) for each in (ours, stock))
    assert theirs["model_list"] == mine["model_list"]
    assert theirs["litellm_settings"]["callbacks"] == ["prometheus"]
    assert "gateway" not in str({**theirs, "model_list": []})
    assert not stock.files
    assert "redis_host" in yaml.safe_load(stock.shared_config)["router_settings"]
    assert "redis_host" not in theirs["router_settings"]


def test_the_stock_image_has_the_gateways_litellm() -> None:
    locks = (ROOT / "images/litellm/requirements.txt", ROOT / "benchmarks/stock_litellm/requirements.txt")
    versions = {lock.pinned(each)["litellm"] for each in locks}
    assert len(versions) == 1


def test_a_sample_belongs_to_the_innermost_part_and_the_standard_library_to_its_caller() -> None:
    packages = "/opt/venv/lib/python3.13/site-packages"
    outer = f"main (/etc/friday/gateway/serve.py:1);post ({packages}/litellm/main.py:2)"
    parts, functions = shares(
        [f"{outer};dumps (/usr/lib/python3.13/json/__init__.py:3) 7", "run (x.py:1) 3", f"{outer} 1"]
    )
    assert parts == Counter({"LiteLLM": 8, "the rest": 3})
    assert functions["dumps (__init__.py)"] == 7


def test_nothing_seen_is_no_profile() -> None:
    with pytest.raises(ValueError, match="saw no stack"):
        shares([])


def test_memory_is_counted_after_as_many_calls_as_the_table_says() -> None:
    assert f"{beside_stock.ALL_CALLS:,}" in beside_stock.WORDS[beside_stock.MEMORY]
