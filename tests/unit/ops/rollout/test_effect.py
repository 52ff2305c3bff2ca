"""The gate on the percentage itself: nobody uses the gateway although users ask."""

import pytest

from ops.rollout.gates import effect
from ops.rollout.gates.effect import Usage
from ops.rollout.gates.gate import Outcome, Verdict
from ops.rollout.gates.registry import judge
from tests.unit.ops.evidence import gate_input, sound
from tests.unit.ops.evidence import verdict as verdict_of

CHATS = Usage(gateway=0, users=240, only_chats=True)
REQUESTS = Usage(gateway=0, users=240, only_chats=False)


def verdict(usage: Usage | None, current: int = 50, *, watching: bool = False) -> Verdict:
    windows = dict.fromkeys(sound().windows, 600.0)
    judged = judge(sound(usage=usage, windows=windows), gate_input(current, None, watching=watching))
    return verdict_of(judged, effect.NAME)


def test_one_call_of_the_gateway_shows_that_the_percentage_took_effect() -> None:
    found = verdict(Usage(gateway=1, users=1, only_chats=False))
    assert (found.outcome, found.value) == (Outcome.PASS, "50 % declared, 1 gateway call, users sent 1 request")
    assert effect.unused([found]) == ""


def test_calls_are_held_against_the_declared_share_where_chats_are_known() -> None:
    found = verdict(Usage(gateway=48, users=100, only_chats=True))
    assert found.value == "50 % declared, 48 gateway calls, users sent 100 chats, that is 48 %"


def test_chats_without_a_call_of_the_gateway_fail() -> None:
    found = verdict(CHATS)
    assert found.outcome is Outcome.FAIL
    assert effect.unused([found]) == (
        "50 % declared, 0 gateway calls in 10 min although users sent 240 chats: "
        "does the app obey LITELLM_ROLLOUT_PERCENTAGE? see docs/SETTINGS.md, What the app has to obey"
    )


@pytest.mark.parametrize(("usage", "watching"), [(REQUESTS, False), (CHATS, True), (REQUESTS, True)])
def test_pages_alone_prove_nothing_and_a_watch_does_not_go_back_for_it(usage: Usage, watching: bool) -> None:
    found = verdict(usage, watching=watching)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "friday.chatPaths" in effect.unused([found])


@pytest.mark.parametrize(("users", "current"), [(0, 50), (39, 50), (199, 10)])
def test_too_few_requests_tell_nothing(users: int, current: int) -> None:
    found = verdict(Usage(gateway=0, users=users, only_chats=True), current)
    assert (found.outcome, effect.unused([found])) == (Outcome.INCONCLUSIVE, "")


def test_an_edge_that_is_not_scraped_tells_nothing() -> None:
    assert verdict(None).value == "not measured"


def test_at_0_percent_nobody_has_to_use_the_gateway() -> None:
    assert verdict(CHATS, 0).outcome is Outcome.SKIPPED
